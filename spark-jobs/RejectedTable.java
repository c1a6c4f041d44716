package offstream;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.iceberg.RowDelta;
import org.apache.iceberg.Table;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.types.StructType;

/** The table of rejected messages, with one row for each message. */
public class RejectedTable extends LakeTable {
    /**
     * The key of a message, in SQL; `key` computes the same. It contains the timestamp, because the offsets of a topic that
     * was deleted and created again start at 0.
     */
    public static final String KEY =
        "concat_ws(' ', topic, kafka_partition, kafka_offset, unix_micros(kafka_timestamp))";

    private final int topic, partition, offset, timestamp;

    /** The highest offset of the messages in the table, of any topic and partition. */
    private long lastOffset;

    public RejectedTable(Table table, int maxRowsOfTail, StructType type, long lastOffset) {
        super(table, maxRowsOfTail);
        this.lastOffset = lastOffset;
        topic = type.fieldIndex("topic");
        partition = type.fieldIndex("kafka_partition");
        offset = type.fieldIndex("kafka_offset");
        timestamp = type.fieldIndex("kafka_timestamp");
    }

    public long lastOffset() {
        return lastOffset;
    }

    public long offset(Object row) {
        return ((UnsafeRow) row).getLong(offset);
    }

    /** Adds the messages that the table does not have yet. `known` has the keys of those that it may have. */
    public synchronized void add(List rows, Set known, Map properties) throws IOException {
        for (int i = 0; i < rows.size(); i++) {
            UnsafeRow row = (UnsafeRow) rows.get(i);
            if (known.add(key(row))) tail.add(row, -1);
            lastOffset = Math.max(lastOffset, row.getLong(offset));
        }
        if (!tail.changed) return;
        RowDelta change = begin();
        writeTail(change);
        commit(change, properties);
        if (isTailFull()) tail = new Tail();
    }

    private String key(UnsafeRow row) {
        long number = row.getLong(offset);
        return row.getUTF8String(topic) + " " + row.getInt(partition) + " " + number + " " + row.getLong(timestamp);
    }
}
