package offstream;

import java.util.ArrayList;
import java.util.Arrays;
import org.apache.iceberg.DataFile;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;

/**
 * The rows of the last small data file, which are also in memory. Each commit writes them again with the new rows and
 * removes the previous file, so that a table gets one file for a few thousand rows instead of one for each batch.
 */
public class Tail {
    /** The file of the table that has these rows, or null if no rows are in the table yet. */
    public DataFile file = null;
    public boolean changed = false;
    private ArrayList rows = new ArrayList();
    private long bytes = 0;
    private int[] owners = new int[64];

    /** `owner` is the number of the row in the index. Returns the position of the row. */
    public int add(UnsafeRow row, int owner) {
        changed = true;
        bytes += row.getSizeInBytes();
        if (rows.size() == owners.length) owners = Arrays.copyOf(owners, owners.length * 2);
        owners[rows.size()] = owner;
        rows.add(row);
        return rows.size() - 1;
    }

    public void remove(int position) {
        changed = true;
        bytes -= ((UnsafeRow) rows.get(position)).getSizeInBytes();
        rows.set(position, null);
    }

    /** Closes the gaps of removed rows. This changes the positions. */
    public ArrayList compact() {
        ArrayList kept = new ArrayList(rows.size());
        for (int i = 0; i < rows.size(); i++) {
            if (rows.get(i) == null) continue;
            owners[kept.size()] = owners[i];
            kept.add(rows.get(i));
        }
        rows = kept;
        return rows;
    }

    public int size() {
        return rows.size();
    }

    public long bytes() {
        return bytes;
    }

    public int owner(int position) {
        return owners[position];
    }
}
