package offstream;

import java.util.BitSet;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.storage.StorageLevel;

/**
 * The newest rows of a batch, in the memory of the executors until `close`. The driver gets their keys first, so that the
 * tasks write only rows that are newer than those of the table and of the other tasks.
 */
public class BatchRows {
    private final JavaRDD results;
    private final Broadcast table;

    /** `results` are those of `BatchTask`, `table` is the table of products. */
    public BatchRows(JavaRDD results, Broadcast table) {
        this.results = results.persist(StorageLevel.MEMORY_AND_DISK());
        this.table = table;
    }

    /** Returns the result of `KeysTask` for each partition. All of them together have at most `maxRows` rows. */
    public List keys(int maxRows) {
        return results.map(new KeysTask(maxRows / Math.max(1, results.getNumPartitions()))).collect();
    }

    /**
     * Writes the kept rows of each partition; `files` has its pending file, or null. Returns the data files in the same
     * order, with null for a partition without kept rows.
     */
    public List write(PendingFile[] files) {
        BitSet[] kept = new BitSet[files.length];
        int[] hashes = new int[files.length];
        for (int i = 0; i < files.length; i++) {
            if (files[i] == null) continue;
            kept[i] = files[i].kept;
            hashes[i] = files[i].hashOfKeys;
        }
        return results.mapPartitions(new WriteTask(table, kept, hashes)).collect();
    }

    public void close() {
        results.unpersist(false);
    }
}
