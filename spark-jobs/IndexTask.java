package offstream;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads keys and places of rows of the table for the index. It returns one array: the paths of data files, and for each
 * row the key and its place, which is the number of the path and the position.
 */
public class IndexTask implements FlatMapFunction {
    public static final String[] COLUMNS = {
        "code", "as_of", "rev", "kafka_offset", "kafka_partition", "_file", "_pos"
    };
    public static final int WORDS = ProductIndex.KEY_WORDS + 1;
    private static final int[] KEY = {0, 1, 2, 3, 4};

    public Iterator call(Object rows) {
        Iterator iterator = (Iterator) rows;
        ArrayList paths = new ArrayList();
        UTF8String path = null;
        long[] words = new long[WORDS * 1024];
        int used = 0;
        while (iterator.hasNext()) {
            InternalRow row = (InternalRow) iterator.next();
            UTF8String file = row.getUTF8String(5);
            if (!file.equals(path)) {
                path = file.copy();
                paths.add(path.toString());
            }
            if (used == words.length) words = Arrays.copyOf(words, used * 2);
            ProductIndex.writeKey(row, KEY, words, used);
            words[used + ProductIndex.KEY_WORDS] = ((long) (paths.size() - 1) << 32) | row.getLong(6);
            used += WORDS;
        }
        Object[] result = {paths, Arrays.copyOf(words, used)};
        return Collections.singletonList(result).iterator();
    }
}
