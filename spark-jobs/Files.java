package offstream;

import java.io.IOException;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import org.apache.iceberg.DataFile;
import org.apache.iceberg.DeleteFile;
import org.apache.iceberg.FileFormat;
import org.apache.iceberg.MetricsConfig;
import org.apache.iceberg.Schema;
import org.apache.iceberg.Table;
import org.apache.iceberg.data.GenericFileWriterFactory;
import org.apache.iceberg.deletes.PositionDelete;
import org.apache.iceberg.deletes.PositionDeleteWriter;
import org.apache.iceberg.encryption.EncryptedOutputFile;
import org.apache.iceberg.formats.FileWriterBuilder;
import org.apache.iceberg.formats.FormatModelRegistry;
import org.apache.iceberg.io.CloseableIterable;
import org.apache.iceberg.io.DataWriter;
import org.apache.iceberg.io.OutputFileFactory;
import org.apache.iceberg.spark.SparkSchemaUtil;
import org.apache.spark.sql.catalyst.InternalRow;

/** Reads and writes the files of a table without partitions. No file belongs to the table before a commit adds it. */
public class Files {
    private Files() {}

    /** `rows` are InternalRows in the columns of the table. `task` makes the name of the file unique. */
    public static DataFile write(Table table, Iterator rows, int partition, long task) throws IOException {
        Schema schema = table.schema();
        EncryptedOutputFile file = newFile(table, partition, task);
        FileWriterBuilder builder =
            FormatModelRegistry.dataWriteBuilder(FileFormat.PARQUET, InternalRow.class, file);
        builder.schema(schema);
        builder.engineSchema(SparkSchemaUtil.convert(schema));
        builder.setAll(table.properties());
        builder.metricsConfig(MetricsConfig.forTable(table));
        builder.spec(table.spec());
        DataWriter writer = (DataWriter) builder.build();
        try {
            while (rows.hasNext()) writer.write(rows.next());
        } finally {
            writer.close();
        }
        return writer.toDataFile();
    }

    /** The iterator reuses its row. Close what this returns. */
    public static CloseableIterable read(Table table, String path) {
        org.apache.iceberg.formats.ReadBuilder builder =
            FormatModelRegistry.readBuilder(FileFormat.PARQUET, InternalRow.class, table.io().newInputFile(path));
        builder.project(table.schema());
        builder.engineProjection(SparkSchemaUtil.convert(table.schema()));
        builder.reuseContainers();
        return builder.build();
    }

    /** Writes a file that deletes positions: path of a data file → Positions. */
    public static DeleteFile writeDeletes(Table table, TreeMap positions, long task) throws IOException {
        PositionDeleteWriter writer = new GenericFileWriterFactory.Builder(table)
            .dataSchema(table.schema())
            .dataFileFormat(FileFormat.PARQUET)
            .deleteFileFormat(FileFormat.PARQUET)
            .build()
            .newPositionDeleteWriter(newFile(table, 0, task), table.spec(), null);
        PositionDelete delete = PositionDelete.create();
        try {
            for (Iterator i = positions.entrySet().iterator(); i.hasNext();) {
                Map.Entry entry = (Map.Entry) i.next();
                int[] sorted = ((Positions) entry.getValue()).sorted();
                for (int j = 0; j < sorted.length; j++) writer.write(delete.set((String) entry.getKey(), sorted[j]));
            }
        } finally {
            writer.close();
        }
        return writer.toDeleteFile();
    }

    private static EncryptedOutputFile newFile(Table table, int partition, long task) {
        return OutputFileFactory.builderFor(table, partition, task).format(FileFormat.PARQUET).build().newOutputFile();
    }
}
