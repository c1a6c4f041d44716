package offstream;

import java.io.IOException;
import java.util.Iterator;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.catalyst.InternalRow;

/** Reads the messages of a batch into the columns of `MessageReader`, one after the other. */
public class ReadTask implements FlatMapFunction {
    private final MessageReader reader;

    public ReadTask(MessageReader reader) {
        this.reader = reader;
    }

    public RDD rows(Dataset messages) {
        return messages.queryExecution().toRdd().toJavaRDD().mapPartitions(this).rdd();
    }

    public Iterator call(Object messages) throws IOException {
        final Iterator iterator = (Iterator) messages;
        reader.open();
        return new Iterator() {
            public boolean hasNext() {
                return iterator.hasNext();
            }

            public Object next() {
                return reader.read((InternalRow) iterator.next());
            }
        };
    }
}
