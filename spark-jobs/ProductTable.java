package offstream;

import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.iceberg.DataFile;
import org.apache.iceberg.DeleteFile;
import org.apache.iceberg.FileScanTask;
import org.apache.iceberg.RowDelta;
import org.apache.iceberg.Table;
import org.apache.iceberg.io.CloseableIterable;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;

/**
 * The table of products, with one row for each code: the newest. An index in memory knows the place of each row, so
 * that the cost of a batch depends on what it writes, not on the size of the table.
 */
public class ProductTable extends LakeTable {
    private final ProductIndex index = new ProductIndex();
    private final DataFiles files = new DataFiles();
    private final Deletes deletes = new Deletes();

    /** `parts` has the results of `IndexTask` for the current snapshot of the table. */
    public ProductTable(Table table, int maxRowsOfTail, Iterator parts) throws IOException {
        super(table, maxRowsOfTail);
        addFiles();
        while (parts.hasNext()) addRows((Object[]) parts.next());
    }

    public int size() {
        return index.size();
    }

    /**
     * Writes the rows of a batch; `results` has those of `KeysTask`. A batch that changes no row makes an empty snapshot,
     * which proves with its properties that the messages were read; without properties it makes none.
     */
    public synchronized void write(List results, BatchRows rows, Map properties) throws IOException {
        RowDelta change = begin();
        PendingFile[] pending = new PendingFile[results.size()];
        for (int i = 0; i < pending.length; i++) {
            Object[] result = (Object[]) results.get(i);
            long[] keys = (long[]) result[BatchTask.KEYS];
            List few = (List) result[BatchTask.ROWS];
            if (few == null) pending[i] = addPending(keys);
            else addToTail(few, keys);
        }
        boolean changed = writePending(pending, rows, change);
        if (!changed && !tail.changed && properties.isEmpty()) {
            abandon();
            return;
        }
        if (tail.changed) replaceTail(change);
        commitWithDeletes(change, properties);
    }

    private void addToTail(List rows, long[] keys) {
        for (int i = 0, key = 0; i < rows.size(); i++, key += ProductIndex.KEY_WORDS) {
            int row = claim(keys, key);
            if (row >= 0) index.setPlace(row, DataFiles.TAIL, tail.add((UnsafeRow) rows.get(i), row));
        }
    }

    private PendingFile addPending(long[] keys) {
        PendingFile file = files.addPending(keys);
        for (int key = 0, position = 0; key < keys.length; key += ProductIndex.KEY_WORDS, position++) {
            int row = claim(keys, key);
            if (row < 0) continue;
            index.setPlace(row, file.number, position);
            file.keep(position, row);
        }
        return file;
    }

    /** Writes the pending files that have rows left. Returns whether there are any. */
    private boolean writePending(PendingFile[] pending, BatchRows rows, RowDelta change) {
        boolean isAny = haveRows(pending);
        List written = isAny ? rows.write(pending) : null;
        for (int i = 0; i < pending.length; i++) {
            if (pending[i] == null) continue;
            if (pending[i].kept.isEmpty()) files.remove(pending[i].number);
            else addWritten((DataFile) written.get(i), pending[i], change);
        }
        return isAny;
    }

    private static boolean haveRows(PendingFile[] pending) {
        for (int i = 0; i < pending.length; i++) if (pending[i] != null && !pending[i].kept.isEmpty()) return true;
        return false;
    }

    private void addWritten(DataFile written, PendingFile pending, RowDelta change) {
        StoredFile file = files.store(pending.number, written);
        for (int i = pending.kept.nextSetBit(0); i >= 0; i = pending.kept.nextSetBit(i + 1))
            index.setPlace(pending.owner(i), pending.number, file.live++);
        change.addRows(written);
    }

    /** Notes a row of a data file: it becomes the row of its code, or it is deleted, because it is not the newest. */
    private void put(long[] keys, int key, int number, int position) {
        int row = claim(keys, key);
        if (row < 0) {
            deletes.add(files.stored(number).path, position);
            return;
        }
        index.setPlace(row, number, position);
        files.stored(number).live++;
    }

    /** Returns the row of the code if the key is newer than it, with its previous place deleted, otherwise -1. */
    private int claim(long[] keys, int key) {
        int row = index.find(keys, key);
        if (row < 0) return index.add(keys, key);
        if (!index.isNewer(keys, key, row)) return -1;
        index.setKey(row, keys, key);
        delete(index.fileOf(row), index.positionOf(row));
        return row;
    }

    private void delete(int number, int position) {
        if (number == DataFiles.TAIL) {
            tail.remove(position);
        } else if (files.isPending(number)) {
            files.pending(number).remove(position);
        } else {
            files.stored(number).live--;
            deletes.add(files.stored(number).path, position);
        }
    }

    private void replaceTail(RowDelta change) throws IOException {
        writeTail(change);
        int number = DataFiles.TAIL;
        if (tail.file != null && isTailFull()) {
            number = files.add(tail.file);
            files.stored(number).live = tail.size();
        }
        for (int i = 0; i < tail.size(); i++) index.setPlace(tail.owner(i), number, i);
        if (number != DataFiles.TAIL) tail = new Tail();
    }

    /** Starts a rewrite of some data files; returns null if no file needs it, or after a failed batch. */
    public synchronized Compaction startCompaction() {
        return isCurrent() ? Compaction.of(this, files, index) : null;
    }

    /**
     * Replaces the files of the compaction by the new file. Its rows that have changed in the meantime are deleted. Does
     * nothing if the table has changed, or if a batch has failed: the index then has rows that were never committed.
     */
    public synchronized void finishCompaction(Compaction compaction, DataFile added) throws IOException {
        if (!isCurrent()) {
            table.io().deleteFile(added.location());
            return;
        }
        RowDelta change = begin();
        for (int i = 0; i < compaction.numbers.length; i++) {
            StoredFile old = files.stored(compaction.numbers[i]);
            removeRows(change, old.file);
            deletes.forget(old.path);
        }
        if (added.recordCount() > 0) moveRows(compaction, added, change);
        for (int i = 0; i < compaction.numbers.length; i++) files.remove(compaction.numbers[i]);
        commitWithDeletes(change, offsets());
    }

    private void moveRows(Compaction compaction, DataFile added, RowDelta change) {
        int number = files.add(added);
        int position = 0;
        for (int i = 0; i < compaction.owners.length; i++) {
            for (int j = 0; j < compaction.owners[i].length; j++) {
                int row = compaction.owners[i][j];
                if (row < 0) continue;
                if (index.fileOf(row) == compaction.numbers[i] && index.positionOf(row) == j) {
                    index.setPlace(row, number, position);
                    files.stored(number).live++;
                } else {
                    deletes.add(added.location(), position);
                }
                position++;
            }
        }
        change.addRows(added);
    }

    /** Starts to replace the files of deletes; returns null if they are few, or after a failed batch. */
    public synchronized DeleteCompaction startDeleteCompaction() {
        return deletes.areMany() && isCurrent() ? new DeleteCompaction(deletes.fullFiles(), files, index) : null;
    }

    /** Replaces the files of deletes with one. */
    public void finishDeleteCompaction(DeleteCompaction compaction) throws IOException {
        boolean isEmpty = compaction.positions.isEmpty();
        DeleteFile added = isEmpty ? null : Files.writeDeletes(table, compaction.positions, nextFile());
        replaceDeletes(compaction, added);
    }

    private synchronized void replaceDeletes(DeleteCompaction compaction, DeleteFile added) {
        // As in `finishCompaction`.
        if (!isCurrent()) return;
        RowDelta change = begin();
        for (int i = 0; i < compaction.replaced.size(); i++) {
            DeleteFile file = (DeleteFile) compaction.replaced.get(i);
            deletes.removeFile(file);
            // Iceberg may have removed it already, if all of its data files are gone.
            removeDeletes(change, file);
        }
        if (added != null) {
            change.addDeletes(added);
            deletes.addFile(added);
        }
        commit(change, offsets());
    }

    private void commitWithDeletes(RowDelta change, Map properties) throws IOException {
        if (deletes.changed()) {
            change.validateDataFilesExist(deletes.newPaths());
            if (deletes.last() != null) removeDeletes(change, deletes.last());
            DeleteFile written = deletes.write(table, nextFile());
            if (written != null) change.addDeletes(written);
        }
        commit(change, properties);
        deletes.committed();
    }

    private void addFiles() throws IOException {
        if (table.currentSnapshot() == null) return;
        CloseableIterable tasks = table.newScan().planFiles();
        try {
            for (Iterator i = tasks.iterator(); i.hasNext();) {
                FileScanTask task = (FileScanTask) i.next();
                DataFile file = (DataFile) task.file();
                if (!files.contains(file.location())) files.add(file);
                for (int j = 0; j < task.deletes().size(); j++) deletes.addFile((DeleteFile) task.deletes().get(j));
            }
        } finally {
            tasks.close();
        }
    }

    private void addRows(Object[] part) {
        List paths = (List) part[0];
        long[] words = (long[]) part[1];
        int[] numberOfPath = new int[paths.size()];
        for (int i = 0; i < numberOfPath.length; i++) numberOfPath[i] = files.numberOf((String) paths.get(i));
        for (int at = 0; at < words.length; at += IndexTask.WORDS) {
            long place = words[at + ProductIndex.KEY_WORDS];
            put(words, at, numberOfPath[(int) (place >>> 32)], (int) place);
        }
    }
}
