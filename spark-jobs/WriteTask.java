package offstream;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.apache.iceberg.Table;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;

/** Writes the kept rows of a result of `BatchTask` to a data file, and returns the file; null without kept rows. */
public class WriteTask implements FlatMapFunction {
    private final Broadcast table;
    private final BitSet[] kept;
    private final int[] hashes;

    /** `kept` has the positions of the kept rows of each partition, or null; `hashes` has the hash of the keys of each. */
    public WriteTask(Broadcast table, BitSet[] kept, int[] hashes) {
        this.table = table;
        this.kept = kept;
        this.hashes = hashes;
    }

    public Iterator call(Object results) throws IOException {
        TaskContext task = TaskContext.get();
        int partition = task.partitionId();
        BitSet ofPart = kept[partition];
        if (ofPart == null || ofPart.isEmpty()) return Collections.singletonList(null).iterator();
        Object[] part = (Object[]) ((Iterator) results).next();
        // Spark reads a partition again if its executor is gone, and Kafka may have compacted it in the meantime.
        if (Arrays.hashCode((long[]) part[BatchTask.KEYS]) != hashes[partition])
            throw new IllegalStateException("the messages of partition " + partition + " of the batch have changed");
        List rows = (List) part[BatchTask.ROWS];
        ArrayList written = new ArrayList(ofPart.cardinality());
        for (int i = ofPart.nextSetBit(0); i >= 0; i = ofPart.nextSetBit(i + 1)) written.add(rows.get(i));
        Object file = Files.write((Table) table.value(), written.iterator(), partition, task.taskAttemptId());
        return Collections.singletonList(file).iterator();
    }
}
