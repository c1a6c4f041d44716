package offstream;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Iterator;
import org.apache.iceberg.Table;
import org.apache.iceberg.io.CloseableIterable;
import org.apache.iceberg.io.CloseableIterator;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;

/** Writes the rows at some positions (a BitSet for each path) to one new data file, and returns the file. */
public class CompactionTask implements FlatMapFunction {
    private final Broadcast table;
    private final String[] paths;
    private final ArrayList kept;

    public CompactionTask(Broadcast table, String[] paths, ArrayList kept) {
        this.table = table;
        this.paths = paths;
        this.kept = kept;
    }

    public Iterator call(Object nothing) throws IOException {
        TaskContext task = TaskContext.get();
        Rows rows = new Rows();
        try {
            Object file = Files.write((Table) table.value(), rows, task.partitionId(), task.taskAttemptId());
            return Collections.singletonList(file).iterator();
        } finally {
            rows.close();
        }
    }

    private class Rows implements Iterator {
        private int file = -1;
        private int position = 0;
        private int next = -1;
        private CloseableIterable opened = null;
        private CloseableIterator rows = null;

        public boolean hasNext() {
            while (next < 0 && file + 1 < paths.length) {
                close();
                opened = Files.read((Table) table.value(), paths[++file]);
                rows = opened.iterator();
                position = 0;
                next = ((BitSet) kept.get(file)).nextSetBit(0);
            }
            return next >= 0;
        }

        public Object next() {
            for (; position < next; position++) rows.next();
            position++;
            next = ((BitSet) kept.get(file)).nextSetBit(position);
            return rows.next();
        }

        void close() {
            try {
                if (rows != null) rows.close();
                if (opened != null) opened.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
