package offstream;

import java.util.ArrayList;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * The place and the age of the row of each code. It is in the driver's memory, about 60 bytes a row.
 *
 * A row is a number that never changes: 0 for the first code that was added. Its six words are in chunks, so that the
 * index grows without a copy. A hash table of row numbers finds the row of a code.
 */
public class ProductIndex {
    /** The words of a key: code (two words), `as_of`, `rev`, offset. The partition is part of the second word. */
    public static final int KEY_WORDS = 5;
    private static final int WORDS = 6;
    private static final int CHUNK_BITS = 14;
    private static final int CHUNK_MASK = (1 << CHUNK_BITS) - 1;
    private static final int DIGITS_OF_FIRST_WORD = 18;

    private final ArrayList chunks = new ArrayList();
    /** Row number + 1, or 0 for an empty slot. The length is a power of two. */
    private int[] slots = new int[1 << 12];
    private int size = 0;

    public int size() {
        return size;
    }

    /** Writes the key of a row with the columns code, `as_of`, `rev`, offset and partition. */
    public static void writeKey(InternalRow row, int[] columns, long[] words, int at) {
        UTF8String code = row.getUTF8String(columns[0]);
        byte[] digits = code.getBytes();
        int split = Math.max(0, digits.length - DIGITS_OF_FIRST_WORD);
        long high = ((long) digits.length << 20) | number(digits, 0, split);
        words[at] = number(digits, split, digits.length);
        words[at + 1] = (high << 32) | row.getInt(columns[4]);
        words[at + 2] = row.getLong(columns[1]);
        // A revision is never negative, so -1 (no revision) is older than any.
        words[at + 3] = row.isNullAt(columns[2]) ? -1 : row.getLong(columns[2]);
        words[at + 4] = row.getLong(columns[3]);
    }

    private static long number(byte[] digits, int from, int to) {
        long number = 0;
        for (int i = from; i < to; i++) number = number * 10 + digits[i] - '0';
        return number;
    }

    /** Returns whether the first key is newer: by `as_of`, then `rev`, then offset, then partition. */
    public static boolean isNewer(long[] key, int at, long[] other, int otherAt) {
        for (int i = 2; i < KEY_WORDS; i++)
            if (key[at + i] != other[otherAt + i]) return key[at + i] > other[otherAt + i];
        return (int) key[at + 1] > (int) other[otherAt + 1];
    }

    /** Returns the number of the row of the key's code, or -1. */
    public int find(long[] key, int at) {
        int mask = slots.length - 1;
        for (int slot = hash(key, at) & mask; slots[slot] != 0; slot = (slot + 1) & mask)
            if (isSameCode(slots[slot] - 1, key, at)) return slots[slot] - 1;
        return -1;
    }

    public boolean isNewer(long[] key, int at, int row) {
        return isNewer(key, at, chunk(row), start(row));
    }

    /** Adds a code that the index does not have yet; its place must be set next. Returns the number of its row. */
    public int add(long[] key, int at) {
        int row = size++;
        if (row >>> CHUNK_BITS == chunks.size()) chunks.add(new long[WORDS << CHUNK_BITS]);
        setKey(row, key, at);
        if (size > slots.length - slots.length / 4) grow();
        else insert(slots, row);
        return row;
    }

    public void setKey(int row, long[] key, int at) {
        System.arraycopy(key, at, chunk(row), start(row), KEY_WORDS);
    }

    public void setPlace(int row, int file, int position) {
        chunk(row)[start(row) + KEY_WORDS] = ((long) file << 32) | position;
    }

    public int fileOf(int row) {
        return (int) (chunk(row)[start(row) + KEY_WORDS] >>> 32);
    }

    public int positionOf(int row) {
        return (int) chunk(row)[start(row) + KEY_WORDS];
    }

    private void grow() {
        int[] larger = new int[slots.length * 2];
        for (int row = 0; row < size; row++) insert(larger, row);
        slots = larger;
    }

    private void insert(int[] table, int row) {
        int mask = table.length - 1;
        int slot = hash(chunk(row), start(row)) & mask;
        while (table[slot] != 0) slot = (slot + 1) & mask;
        table[slot] = row + 1;
    }

    private boolean isSameCode(int row, long[] key, int at) {
        long[] words = chunk(row);
        int start = start(row);
        return words[start] == key[at] && (words[start + 1] >>> 32) == (key[at + 1] >>> 32);
    }

    private static int hash(long[] key, int at) {
        long mixed = (key[at] + (key[at + 1] >>> 32)) * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 33);
    }

    private long[] chunk(int row) {
        return (long[]) chunks.get(row >>> CHUNK_BITS);
    }

    private static int start(int row) {
        return (row & CHUNK_MASK) * WORDS;
    }
}
