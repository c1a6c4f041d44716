package offstream;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.apache.iceberg.DeleteFile;
import org.apache.iceberg.Table;

/**
 * The files that delete positions of data files. Like the tail of rows, each commit writes the last of them again with
 * the new positions, until it has many.
 */
public class Deletes {
    private static final int MAX_POSITIONS = 20_000;
    private static final int MAX_FILES = 16;

    /** Path of a data file → Positions of the last file. */
    private TreeMap positions = new TreeMap();
    private int count = 0;
    private DeleteFile last = null;
    private boolean changed = false;
    /** The data files with new positions. */
    private final HashSet newPaths = new HashSet();
    /** Path → DeleteFile, for all files except the last. */
    private final LinkedHashMap full = new LinkedHashMap();

    public void add(String path, int position) {
        Positions ofFile = (Positions) positions.get(path);
        if (ofFile == null) {
            ofFile = new Positions();
            positions.put(path, ofFile);
        }
        ofFile.add(position);
        count++;
        changed = true;
        newPaths.add(path);
    }

    /** Removes the positions of a data file that is no longer part of the table. */
    public void forget(String path) {
        Positions ofFile = (Positions) positions.remove(path);
        newPaths.remove(path);
        if (ofFile == null) return;
        count -= ofFile.size();
        changed = true;
    }

    /** Adds a file that the table has already. */
    public void addFile(DeleteFile file) {
        full.put(file.location(), file);
    }

    public boolean areMany() {
        return full.size() > MAX_FILES;
    }

    public List fullFiles() {
        return new ArrayList(full.values());
    }

    public void removeFile(DeleteFile file) {
        full.remove(file.location());
    }

    public boolean changed() {
        return changed;
    }

    public Set newPaths() {
        return newPaths;
    }

    /** The file that `write` replaces, or null. */
    public DeleteFile last() {
        return last;
    }

    /** Writes the last file again; returns null without positions. */
    public DeleteFile write(Table table, long number) throws IOException {
        last = count == 0 ? null : Files.writeDeletes(table, positions, number);
        return last;
    }

    /** Call this after the commit of what was written. */
    public void committed() {
        changed = false;
        newPaths.clear();
        if (count < MAX_POSITIONS) return;
        full.put(last.location(), last);
        last = null;
        positions = new TreeMap();
        count = 0;
    }
}
