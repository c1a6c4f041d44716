package offstream;

import java.util.BitSet;
import java.util.List;
import java.util.TreeMap;

/** Replaces some files of deletes by one. The index knows which positions have no row, so the old files are not read. */
public class DeleteCompaction {
    public final List replaced;
    /** Path of a data file → Positions. */
    public final TreeMap positions = new TreeMap();

    public DeleteCompaction(List replaced) {
        this.replaced = replaced;
    }

    /** `live` is null if all rows of the file are deleted. */
    public void addDead(StoredFile file, BitSet live) {
        Positions dead = new Positions();
        for (int position = 0; position < file.rows(); position++)
            if (live == null || !live.get(position)) dead.add(position);
        positions.put(file.path, dead);
    }
}
