package offstream;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.types.StructType;

/**
 * Maps the columns of `MessageReader` to the columns of a table. The columns of a table may have another order than
 * those of a message, and a table may have more columns, if a newer version of this job has added them.
 */
public class Layout implements Serializable {
    /** Code, `as_of`, `rev`, offset and partition in a row of the table of products. */
    public final int[] keyColumns;
    public final StructType products;
    public final StructType rejected;
    private final int[] ofProducts;
    private final int[] ofRejected;
    private final int reason;

    public Layout(List read, StructType products, StructType rejected) {
        this.products = products;
        this.rejected = rejected;
        ofProducts = places(read, products.fieldNames());
        ofRejected = places(read, rejected.fieldNames());
        reason = read.indexOf("reason");
        String[] key = {"code", "as_of", "rev", "kafka_offset", "kafka_partition"};
        keyColumns = places(Arrays.asList(products.fieldNames()), key);
    }

    private static int[] places(List columns, String[] names) {
        int[] places = new int[names.length];
        for (int i = 0; i < names.length; i++) places[i] = columns.indexOf(names[i]);
        return places;
    }

    public boolean isValid(InternalRow read) {
        return read.isNullAt(reason);
    }

    public InternalRow ofProducts(InternalRow read) {
        return copied((GenericInternalRow) read, ofProducts);
    }

    public InternalRow ofRejected(InternalRow read) {
        return copied((GenericInternalRow) read, ofRejected);
    }

    private static InternalRow copied(GenericInternalRow read, int[] columns) {
        Object[] values = new Object[columns.length];
        for (int i = 0; i < values.length; i++) values[i] = columns[i] < 0 ? null : read.genericGet(columns[i]);
        return new GenericInternalRow(values);
    }
}
