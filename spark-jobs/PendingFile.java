package offstream;

import java.util.Arrays;
import java.util.BitSet;

/** The rows of one partition of a batch before they are written: which of them are the newest of their codes. */
public class PendingFile {
    /** The number of the file in the table. */
    public final int number;
    public final int hashOfKeys;
    /** The positions of the kept rows. */
    public final BitSet kept;
    /** The number in the index of the row at each position. */
    private final int[] owners;

    /** `keys` are those of all rows. None is kept yet. */
    public PendingFile(int number, long[] keys) {
        this.number = number;
        hashOfKeys = Arrays.hashCode(keys);
        int rows = keys.length / ProductIndex.KEY_WORDS;
        kept = new BitSet(rows);
        owners = new int[rows];
    }

    public void keep(int position, int owner) {
        kept.set(position);
        owners[position] = owner;
    }

    public void remove(int position) {
        kept.clear(position);
    }

    public int owner(int position) {
        return owners[position];
    }
}
