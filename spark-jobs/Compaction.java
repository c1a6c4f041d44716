package offstream;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * A rewrite of some data files into one, without their deleted rows. A task writes the new file while batches continue.
 * `owners` has the row numbers at the start, so that rows that change in the meantime can be deleted in the new file.
 */
public class Compaction {
    private static final int SMALL = 8_000;
    private static final int MEDIUM = 64_000;
    private static final int MAX_ROWS = 200_000;
    /** The number of small files that are rewritten together. With a lower number, rows would be rewritten too often. */
    private static final int MIN_FILES = 8;
    private static final double MAX_DELETED = 0.3;

    public final ProductTable table;
    /** The numbers of the files in the table. */
    public final int[] numbers;
    public final String[] paths;
    /** For each file and position the number of the row, or -1. */
    public final int[][] owners;

    private Compaction(ProductTable table, DataFiles files, List chosen) {
        this.table = table;
        numbers = new int[chosen.size()];
        paths = new String[chosen.size()];
        owners = new int[chosen.size()][];
        for (int i = 0; i < chosen.size(); i++) {
            numbers[i] = ((Integer) chosen.get(i)).intValue();
            StoredFile file = files.stored(numbers[i]);
            paths[i] = file.path;
            owners[i] = new int[file.rows()];
            Arrays.fill(owners[i], -1);
        }
    }

    /** Chooses the files to rewrite next, and notes the rows in them. Returns null if no file needs a rewrite. */
    public static Compaction of(ProductTable table, DataFiles files, ProductIndex index) {
        List chosen = choose(files);
        if (chosen.isEmpty()) return null;
        Compaction compaction = new Compaction(table, files, chosen);
        compaction.noteOwners(files, index);
        return compaction;
    }

    private void noteOwners(DataFiles files, ProductIndex index) {
        int[] places = new int[files.size()];
        for (int i = 0; i < numbers.length; i++) places[numbers[i]] = i + 1;
        for (int row = 0; row < index.size(); row++) {
            int place = places[index.fileOf(row)];
            if (place > 0) owners[place - 1][index.positionOf(row)] = row;
        }
    }

    private static List choose(DataFiles files) {
        List chosen = atMost(filesUpTo(files, SMALL), files, MIN_FILES);
        if (chosen.isEmpty()) chosen = atMost(filesUpTo(files, MEDIUM), files, MIN_FILES);
        return chosen.isEmpty() ? atMost(filesWithDeletes(files), files, 1) : chosen;
    }

    /** A file without rows costs nothing to rewrite. */
    private static List filesUpTo(DataFiles files, int maxRows) {
        ArrayList found = new ArrayList();
        for (int i = 0; i < files.size(); i++) {
            StoredFile file = files.stored(i);
            if (file != null && file.live <= maxRows) found.add(Integer.valueOf(i));
        }
        return found;
    }

    private static List filesWithDeletes(DataFiles files) {
        ArrayList found = new ArrayList();
        for (int i = 0; i < files.size(); i++) {
            StoredFile file = files.stored(i);
            if (file != null && file.rows() - file.live > MAX_DELETED * file.rows()) found.add(Integer.valueOf(i));
        }
        return found;
    }

    private static List atMost(List numbers, DataFiles files, int minFiles) {
        if (numbers.size() < minFiles) return new ArrayList();
        ArrayList chosen = new ArrayList();
        long rows = 0;
        for (int i = 0; i < numbers.size(); i++) {
            int live = files.stored(((Integer) numbers.get(i)).intValue()).live;
            if (rows > 0 && rows + live > MAX_ROWS) continue;
            chosen.add(numbers.get(i));
            rows += live;
        }
        return chosen;
    }

    /** The positions to keep, for each file. */
    public ArrayList kept() {
        ArrayList kept = new ArrayList();
        for (int i = 0; i < owners.length; i++) {
            BitSet positions = new BitSet(owners[i].length);
            for (int j = 0; j < owners[i].length; j++) if (owners[i][j] >= 0) positions.set(j);
            kept.add(positions);
        }
        return kept;
    }
}
