package offstream;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import org.apache.iceberg.DataFile;
import org.apache.iceberg.DeleteFile;
import org.apache.iceberg.RowDelta;
import org.apache.iceberg.Snapshot;
import org.apache.iceberg.SnapshotUpdate;
import org.apache.iceberg.Table;
import org.apache.iceberg.expressions.Expressions;
import org.apache.iceberg.relocated.com.google.common.util.concurrent.MoreExecutors;

/**
 * A table that only this object changes, through Iceberg's own API and without Spark SQL.
 *
 * The state in memory is valid for one snapshot. If the table has another one, or if a commit fails, this object must
 * not be used again: `isCurrent` returns false, and the caller makes another object. Callers hold the lock of this object.
 */
public abstract class LakeTable {
    /** The default executor waits for its threads in steps of 10 ms, several times in a commit. */
    private static final ExecutorService SAME_THREAD = MoreExecutors.newDirectExecutorService();
    private static final long MAX_BYTES_OF_TAIL = 8_000_000;

    protected final Table table;
    protected Tail tail = new Tail();
    private final int maxRowsOfTail;
    private final int schema;
    private long snapshot;
    private boolean failed = false;
    private final History history;
    /** The files that the next commit removes from the table. */
    private final ArrayList removed = new ArrayList();
    private long writtenFiles = 0;

    protected LakeTable(Table table, int maxRowsOfTail) {
        this.table = table;
        this.maxRowsOfTail = maxRowsOfTail;
        table.refresh();
        snapshot = currentSnapshot(table);
        schema = table.schema().schemaId();
        history = new History(table);
    }

    /** Returns whether the table is as this object left it. */
    public synchronized boolean isCurrent() {
        if (failed) return false;
        table.refresh();
        return currentSnapshot(table) == snapshot && table.schema().schemaId() == schema;
    }

    protected synchronized long nextFile() {
        return writtenFiles++;
    }

    /**
     * Starts a commit that fails if another writer has changed the table. Call this before anything in memory changes:
     * after any exception before `commit` or `abandon`, this object must not be used again.
     */
    protected RowDelta begin() {
        RowDelta change = table.newRowDelta();
        SnapshotUpdate update = (SnapshotUpdate) change;
        update.scanManifestsWith(SAME_THREAD);
        update.writeManifestsWith(SAME_THREAD, 1);
        if (snapshot >= 0) change.validateFromSnapshot(snapshot);
        change.conflictDetectionFilter(Expressions.alwaysTrue());
        change.validateNoConflictingDataFiles();
        change.validateNoConflictingDeleteFiles();
        failed = true;
        return change;
    }

    /** The properties of the last snapshot that record which messages are in the table, for a commit without messages. */
    protected Map offsets() {
        HashMap found = new HashMap();
        if (table.currentSnapshot() == null) return found;
        for (Iterator i = table.currentSnapshot().summary().entrySet().iterator(); i.hasNext();) {
            Map.Entry property = (Map.Entry) i.next();
            String name = (String) property.getKey();
            if (name.startsWith("offstream.")) found.put(name, property.getValue());
        }
        return found;
    }

    /** Undoes `begin` without a commit, because nothing has changed. */
    protected void abandon() {
        failed = false;
    }

    protected void commit(RowDelta change, Map properties) {
        SnapshotUpdate update = (SnapshotUpdate) change;
        for (Iterator i = properties.entrySet().iterator(); i.hasNext();) {
            Map.Entry property = (Map.Entry) i.next();
            update.set((String) property.getKey(), (String) property.getValue());
        }
        change.commit();
        // Another writer may have moved rows before this commit, which does not conflict, or committed after it.
        failed = parentOf(table.currentSnapshot()) != snapshot;
        snapshot = currentSnapshot(table);
        history.add(removed, System.currentTimeMillis());
        removed.clear();
    }

    /** Replaces the file of the tail with one that has its current rows. */
    protected void writeTail(RowDelta change) throws IOException {
        if (tail.file != null) removeRows(change, tail.file);
        List rows = tail.compact();
        tail.file = rows.isEmpty() ? null : Files.write(table, rows.iterator(), 0, nextFile());
        if (tail.file != null) change.addRows(tail.file);
        tail.changed = false;
    }

    protected void removeRows(RowDelta change, DataFile file) {
        change.removeRows(file);
        change.validateDeletedFiles();
        removed.add(file.location());
    }

    /** Notes a file of deletes that the next commit removes. */
    protected void removeDeletes(RowDelta change, DeleteFile file) {
        change.removeDeletes(file);
        removed.add(file.location());
    }

    /** Removes old snapshots from the table. Their files are deleted later, by `deleteFiles`. */
    public synchronized void expireSnapshots(long nowMs) {
        if (isCurrent()) history.expire(nowMs);
    }

    /** Deletes some files that no query can still read. Returns whether there may be more. */
    public boolean deleteFiles(long nowMs) {
        if (!isCurrent() || table.currentSnapshot() == null) return false;
        List due = history.due(nowMs);
        for (int i = 0; i < due.size(); i++) table.io().deleteFile((String) due.get(i));
        return !due.isEmpty();
    }

    protected boolean isTailFull() {
        return tail.size() >= maxRowsOfTail || tail.bytes() >= MAX_BYTES_OF_TAIL;
    }

    private static long parentOf(Snapshot snapshot) {
        return snapshot.parentId() == null ? -1 : snapshot.parentId().longValue();
    }

    public static long currentSnapshot(Table table) {
        return table.currentSnapshot() == null ? -1 : table.currentSnapshot().snapshotId();
    }
}
