package offstream;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import org.apache.iceberg.DataFile;
import org.apache.iceberg.Table;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads the messages of one partition of a batch and keeps the newest row of each code. A few rows go to the driver;
 * more rows become a data file, which the driver adds to the table.
 *
 * It returns one array: the rows or null, the data file or null, the keys of the rows (`ProductIndex.writeKey`) in the
 * order of the rows, and the rejected messages, or null if they are too many for the driver's memory. It is an array,
 * since the executor and the driver do not load the classes of this folder with the same class loader.
 */
public class BatchTask implements FlatMapFunction {
    public static final int ROWS = 0, FILE = 1, KEYS = 2, REJECTED = 3;

    private final MessageReader reader;
    private final Broadcast table;
    private final Layout layout;
    private final int maxRows;

    /** `table` is the table of products. A task with more rows than `maxRows` writes a file. */
    public BatchTask(MessageReader reader, Broadcast table, Layout layout, int maxRows) {
        this.reader = reader;
        this.table = table;
        this.layout = layout;
        this.maxRows = maxRows;
    }

    public Iterator call(Object messages) throws IOException {
        Iterator iterator = (Iterator) messages;
        HashMap newest = new HashMap();
        Unsafe rejected = new Unsafe(layout.rejected);
        reader.open();
        while (iterator.hasNext()) {
            InternalRow read = reader.read((InternalRow) iterator.next());
            if (layout.isValid(read)) keepNewest(newest, new Row(layout.ofProducts(read), layout));
            else rejected.add(layout.ofRejected(read));
        }
        ArrayList rows = new ArrayList(newest.values());
        Unsafe few = new Unsafe(layout.products);
        for (int i = 0; i < rows.size() && i <= maxRows; i++) few.add(((Row) rows.get(i)).row);
        boolean isFew = rows.size() <= maxRows && few.isComplete();
        Object[] result = new Object[4];
        if (isFew) result[ROWS] = few.rows;
        else result[FILE] = write(rows);
        result[KEYS] = keys(rows);
        result[REJECTED] = rejected.isComplete() ? rejected.rows : null;
        return Collections.singletonList(result).iterator();
    }

    private static void keepNewest(HashMap newest, Row row) {
        Row other = (Row) newest.get(row.code);
        if (other == null || ProductIndex.isNewer(row.key, 0, other.key, 0)) newest.put(row.code, row);
    }

    /** A file that is sorted by code can be read in part for one code. */
    private DataFile write(ArrayList rows) throws IOException {
        Collections.sort(rows, new ByCode());
        final Iterator iterator = rows.iterator();
        Iterator written = new Iterator() {
            public boolean hasNext() {
                return iterator.hasNext();
            }

            public Object next() {
                return ((Row) iterator.next()).row;
            }
        };
        TaskContext task = TaskContext.get();
        return Files.write((Table) table.value(), written, task.partitionId(), task.taskAttemptId());
    }

    private static long[] keys(ArrayList rows) {
        long[] keys = new long[rows.size() * ProductIndex.KEY_WORDS];
        for (int i = 0; i < rows.size(); i++)
            System.arraycopy(((Row) rows.get(i)).key, 0, keys, i * ProductIndex.KEY_WORDS, ProductIndex.KEY_WORDS);
        return keys;
    }

    private static class Row {
        final InternalRow row;
        final UTF8String code;
        final long[] key = new long[ProductIndex.KEY_WORDS];

        Row(InternalRow row, Layout layout) {
            this.row = row;
            code = row.getUTF8String(layout.keyColumns[0]);
            ProductIndex.writeKey(row, layout.keyColumns, key, 0);
        }
    }

    /** Rows in a compact form, as long as they fit into the driver's memory. */
    private static class Unsafe {
        private static final long MAX_BYTES = 8_000_000;

        final ArrayList rows = new ArrayList();
        private final UnsafeProjection projection;
        private long bytes = 0;

        Unsafe(StructType type) {
            projection = UnsafeProjection.create(type);
        }

        void add(InternalRow row) {
            if (!isComplete()) return;
            UnsafeRow unsafe = projection.apply(row).copy();
            bytes += unsafe.getSizeInBytes();
            rows.add(unsafe);
        }

        boolean isComplete() {
            return bytes <= MAX_BYTES;
        }
    }

    private static class ByCode implements Comparator {
        public int compare(Object a, Object b) {
            return ((Row) a).code.compareTo(((Row) b).code);
        }
    }
}
