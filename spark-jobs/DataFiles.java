package offstream;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import org.apache.iceberg.DataFile;

/**
 * The data files of a table by number: the index stores numbers, which need less memory than paths. A number is never
 * used again.
 */
public class DataFiles {
    /** The number of the tail, whose file changes with each commit. It is not one of the files here. */
    public static final int TAIL = 0;

    /** For each number a StoredFile, a PendingFile, or null if it was removed. */
    private final ArrayList files = new ArrayList();
    /** Path → number of each stored file. */
    private final HashMap numbers = new HashMap();

    public DataFiles() {
        files.add(null);
    }

    /** All numbers are below this one. */
    public int size() {
        return files.size();
    }

    /** Returns the number of the file. */
    public int add(DataFile file) {
        files.add(null);
        store(files.size() - 1, file);
        return files.size() - 1;
    }

    /** Adds a file that will have some rows of a partition of a batch; see `PendingFile`. */
    public PendingFile addPending(long[] keys) {
        PendingFile file = new PendingFile(files.size(), keys);
        files.add(file);
        return file;
    }

    /** Replaces a pending file by the file that was written. */
    public StoredFile store(int number, DataFile file) {
        StoredFile stored = new StoredFile((DataFile) file.copyWithoutStats());
        files.set(number, stored);
        numbers.put(stored.path, Integer.valueOf(number));
        return stored;
    }

    public void remove(int number) {
        if (!isPending(number)) numbers.remove(stored(number).path);
        files.set(number, null);
    }

    public boolean contains(String path) {
        return numbers.containsKey(path);
    }

    public int numberOf(String path) {
        return ((Integer) numbers.get(path)).intValue();
    }

    public boolean isPending(int number) {
        return files.get(number) instanceof PendingFile;
    }

    public PendingFile pending(int number) {
        return (PendingFile) files.get(number);
    }

    /** Returns null for a number whose file was removed. */
    public StoredFile stored(int number) {
        return (StoredFile) files.get(number);
    }
}
