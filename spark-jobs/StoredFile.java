package offstream;

import org.apache.iceberg.DataFile;

/** A data file of the table, and how many of its rows are not deleted. */
public class StoredFile {
    public final DataFile file;
    public final String path;
    public int live = 0;

    public StoredFile(DataFile file) {
        this.file = file;
        path = file.location();
    }

    public int rows() {
        return (int) file.recordCount();
    }
}
