package offstream;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads the messages of one partition of a batch and keeps the newest row of each code.
 *
 * It returns one array: the rows, sorted by code, their keys (`ProductIndex.writeKey`) in the same order, and the
 * rejected messages, or null if they are too many for the driver's memory. It is an array, since the executor and the
 * driver do not load the classes of this folder with the same class loader.
 */
public class BatchTask implements FlatMapFunction {
    public static final int ROWS = 0, KEYS = 1, REJECTED = 2;
    /** What the driver's memory takes from one task. */
    public static final long MAX_DRIVER_BYTES = 8_000_000;

    private final MessageReader reader;
    private final Layout layout;

    public BatchTask(MessageReader reader, Layout layout) {
        this.reader = reader;
        this.layout = layout;
    }

    public Iterator call(Object messages) throws IOException {
        Iterator iterator = (Iterator) messages;
        UnsafeProjection compact = UnsafeProjection.create(layout.products);
        UnsafeProjection compactRejected = UnsafeProjection.create(layout.rejected);
        HashMap newest = new HashMap();
        ArrayList rejected = new ArrayList();
        long rejectedBytes = 0;
        reader.open();
        while (iterator.hasNext()) {
            InternalRow read = reader.read((InternalRow) iterator.next());
            if (layout.isValid(read)) {
                keepNewest(newest, layout.ofProducts(read), compact);
            } else if (rejectedBytes <= MAX_DRIVER_BYTES) {
                UnsafeRow row = compactRejected.apply(layout.ofRejected(read)).copy();
                rejectedBytes += row.getSizeInBytes();
                rejected.add(row);
            }
        }
        Object[] result = sorted(new ArrayList(newest.values()));
        result[REJECTED] = rejectedBytes <= MAX_DRIVER_BYTES ? rejected : null;
        return Collections.singletonList(result).iterator();
    }

    /** A row as one array of bytes needs a quarter of the memory of its values as objects. */
    private void keepNewest(HashMap newest, InternalRow row, UnsafeProjection compact) {
        Row kept = new Row(row.getUTF8String(layout.keyColumns[0]));
        ProductIndex.writeKey(row, layout.keyColumns, kept.key, 0);
        Row other = (Row) newest.get(kept.code);
        if (other != null && !ProductIndex.isNewer(kept.key, 0, other.key, 0)) return;
        kept.row = compact.apply(row).copy();
        newest.put(kept.code, kept);
    }

    /** A file that is sorted by code can be read in part for one code. */
    private static Object[] sorted(ArrayList kept) {
        Collections.sort(kept, new ByCode());
        ArrayList rows = new ArrayList(kept.size());
        long[] keys = new long[kept.size() * ProductIndex.KEY_WORDS];
        for (int i = 0; i < kept.size(); i++) {
            Row row = (Row) kept.get(i);
            rows.add(row.row);
            System.arraycopy(row.key, 0, keys, i * ProductIndex.KEY_WORDS, ProductIndex.KEY_WORDS);
        }
        return new Object[] {rows, keys, null};
    }

    private static class Row {
        final UTF8String code;
        final long[] key = new long[ProductIndex.KEY_WORDS];
        UnsafeRow row = null;

        Row(UTF8String code) {
            this.code = code;
        }
    }

    private static class ByCode implements Comparator {
        public int compare(Object a, Object b) {
            return ((Row) a).code.compareTo(((Row) b).code);
        }
    }
}
