package offstream;

import java.util.List;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;

/** What the driver gets of a result of `BatchTask`: all of it, or all except the rows, if they are more than `maxRows`. */
public class KeysTask implements Function {
    private final int maxRows;

    public KeysTask(int maxRows) {
        this.maxRows = maxRows;
    }

    public Object call(Object result) {
        Object[] part = (Object[]) result;
        boolean areFew = areFew((List) part[BatchTask.ROWS]);
        return new Object[] {areFew ? part[BatchTask.ROWS] : null, part[BatchTask.KEYS], part[BatchTask.REJECTED]};
    }

    private boolean areFew(List rows) {
        if (rows.size() > maxRows) return false;
        long bytes = 0;
        for (int i = 0; i < rows.size(); i++) bytes += ((UnsafeRow) rows.get(i)).getSizeInBytes();
        return bytes <= BatchTask.MAX_DRIVER_BYTES;
    }
}
