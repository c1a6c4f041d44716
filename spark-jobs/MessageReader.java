package offstream;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Map;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads a message of Kafka. The result has the columns of the table of products, then those that only rejected messages
 * have: `topic`, `key`, `value`, `reason`. The `reason` of a valid message is null. It does not throw.
 *
 * Rules and the text of reasons come from java_classes.py as JSON.
 */
public class MessageReader implements Serializable {
    private static final UTF8String SCHEMA_VERSION = UTF8String.fromString("schema-version");
    private static final UTF8String AS_OF = UTF8String.fromString("as-of");

    /** Microseconds, as all times here. */
    private static final long MAX_CLOCK_DIFFERENCE = 300_000_000L;

    private final String rulesJson;
    private final int key, value, topic, partition, offset, timestamp, headers;
    private transient Map rules;
    private transient ProductReader product;
    /** The number of columns of the record, and where its key and times are. */
    private transient int width, code, asOf, observedAt;

    /** `messages` has the columns of Spark's Kafka source. */
    public MessageReader(String rulesJson, StructType messages) {
        this.rulesJson = rulesJson;
        key = messages.fieldIndex("key");
        value = messages.fieldIndex("value");
        topic = messages.fieldIndex("topic");
        partition = messages.fieldIndex("partition");
        offset = messages.fieldIndex("offset");
        timestamp = messages.fieldIndex("timestamp");
        headers = messages.fieldIndex("headers");
    }

    /** Call this once in each task, before `read`. */
    public void open() throws IOException {
        rules = (Map) new ObjectMapper().readValue(rulesJson, Map.class);
        product = new ProductReader(rules);
        width = product.width();
        code = product.column("code");
        asOf = product.column("as_of");
        observedAt = product.column("observed_at");
    }

    public InternalRow read(InternalRow message) {
        Object[] row = new Object[width + 8];
        boolean isDelete = message.isNullAt(value);
        long time = message.getLong(timestamp);
        row[width] = Boolean.valueOf(isDelete);
        row[width + 1] = Integer.valueOf(message.getInt(partition));
        row[width + 2] = Long.valueOf(message.getLong(offset));
        row[width + 3] = Long.valueOf(time);
        String reason = headersProblem(message);
        if (reason == null) reason = isDelete ? readDelete(message, time, row) : readProduct(message, row);
        if (reason != null) addContent(message, reason, row);
        else row[asOf] = Long.valueOf(bounded(((Long) row[asOf]).longValue(), time));
        return new GenericInternalRow(row);
    }

    /**
     * A time after that of the message would win against all later ones, so the time of the message counts. A message
     * without a time (Kafka's -1, or 0) sets no limit, and the time of reading would differ in each run.
     */
    private static long bounded(long moment, long sent) {
        return sent > 0 && moment > sent + MAX_CLOCK_DIFFERENCE ? sent : moment;
    }

    private String headersProblem(InternalRow message) {
        UTF8String version = lastHeader(message, SCHEMA_VERSION);
        if (version == null) return null;
        int newest = ((Number) rules.get("schemaVersion")).intValue();
        try {
            int number = version.toIntExact();
            if (number >= 1 && number <= newest) return null;
        } catch (NumberFormatException e) {
            // A version that is not a number is also unknown.
        }
        return rules.get("unknownVersion") + version.toString();
    }

    private String readDelete(InternalRow message, long time, Object[] row) {
        UTF8String own = text(message, key);
        if (own == null || !product.isCode(own.toString())) return (String) rules.get("invalidKey");
        UTF8String header = lastHeader(message, AS_OF);
        Long moment = header == null ? Long.valueOf(time) : product.micros(header.toString());
        if (moment == null) return (String) rules.get("invalidAsOf");
        row[code] = own;
        row[asOf] = moment;
        row[observedAt] = Long.valueOf(time);
        return null;
    }

    private String readProduct(InternalRow message, Object[] row) {
        byte[] bytes = message.getBinary(value);
        if (!UTF8String.fromBytes(bytes).isValid()) return (String) rules.get("notUtf8");
        return product.read(message.isNullAt(key) ? null : message.getBinary(key), bytes, row);
    }

    private void addContent(InternalRow message, String reason, Object[] row) {
        Arrays.fill(row, 0, width, null);
        row[width + 4] = message.isNullAt(topic) ? null : message.getUTF8String(topic).copy();
        row[width + 5] = text(message, key);
        row[width + 6] = text(message, value);
        row[width + 7] = UTF8String.fromString(reason);
    }

    /** In Kafka a header may occur twice, and the last one counts. */
    private UTF8String lastHeader(InternalRow message, UTF8String name) {
        if (message.isNullAt(headers)) return null;
        ArrayData all = message.getArray(headers);
        for (int i = all.numElements() - 1; i >= 0; i--) {
            InternalRow header = all.getStruct(i, 2);
            if (name.equals(header.getUTF8String(0))) return text(header, 1);
        }
        return null;
    }

    /** Bytes that are not UTF-8 become U+FFFD. */
    private static UTF8String text(InternalRow row, int column) {
        return row.isNullAt(column) ? null : UTF8String.fromBytes(row.getBinary(column)).makeValid();
    }
}
