package offstream;

import java.util.BitSet;
import java.util.List;
import java.util.TreeMap;

/** Replaces some files of deletes with one. The index knows which positions have no row, so the old files are not read. */
public class DeleteCompaction {
    public final List replaced;
    /** Path of a data file → Positions. */
    public final TreeMap positions = new TreeMap();

    public DeleteCompaction(List replaced, DataFiles files, ProductIndex index) {
        this.replaced = replaced;
        BitSet[] live = livePositions(files, index);
        for (int number = 0; number < live.length; number++) {
            StoredFile file = files.stored(number);
            if (file != null && file.live < file.rows()) positions.put(file.path, deadPositions(file, live[number]));
        }
    }

    /** The positions of the rows of each file that has deleted rows; null for a file without such positions. */
    private static BitSet[] livePositions(DataFiles files, ProductIndex index) {
        BitSet[] live = new BitSet[files.size()];
        for (int row = 0; row < index.size(); row++) {
            int number = index.fileOf(row);
            StoredFile file = files.stored(number);
            if (file == null || file.live == file.rows()) continue;
            if (live[number] == null) live[number] = new BitSet(file.rows());
            live[number].set(index.positionOf(row));
        }
        return live;
    }

    /** `live` is null if all rows of the file are deleted. */
    private static Positions deadPositions(StoredFile file, BitSet live) {
        Positions dead = new Positions();
        for (int position = 0; position < file.rows(); position++)
            if (live == null || !live.get(position)) dead.add(position);
        return dead;
    }
}
