package offstream;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import org.apache.iceberg.ExpireSnapshots;
import org.apache.iceberg.ManifestFile;
import org.apache.iceberg.Snapshot;
import org.apache.iceberg.SnapshotRef;
import org.apache.iceberg.Table;

/**
 * Which snapshots a table keeps, and when the files of the others are deleted.
 *
 * Each commit adds a snapshot to the metadata, and writes all of the metadata again. So most snapshots are removed after
 * a few seconds. Their files stay for five minutes, because a running query may still read them.
 */
public class History {
    private static final int ALL_OF_THE_LAST = 20;
    private static final long ONE_IN_MS = 10_000;
    private static final long KEPT_MS = 300_000;
    private static final int MAX_TAKEN = 100;
    private static final int MAX_NOTED = 20_000;

    private final Table table;
    /** Snapshots that were removed from the metadata: snapshot and time of removal, oldest first. */
    private final ArrayDeque expired = new ArrayDeque();
    /** Files that commits have removed from the table: path and time, oldest first. */
    private final ArrayDeque removed = new ArrayDeque();

    public History(Table table) {
        this.table = table;
    }

    /** Notes files that a commit has removed from the table. */
    public void add(List paths, long nowMs) {
        for (int i = 0; i < paths.size(); i++) note(removed, paths.get(i), nowMs);
    }

    public void expire(long nowMs) {
        ExpireSnapshots change = table.expireSnapshots();
        List chosen = chosen(nowMs);
        if (chosen.isEmpty()) return;
        ArrayList before = snapshots();
        for (int i = 0; i < chosen.size(); i++) change.expireSnapshotId(((Snapshot) chosen.get(i)).snapshotId());
        change.retainLast(ALL_OF_THE_LAST);
        change.cleanExpiredFiles(false);
        change.commit();
        for (int i = 0; i < before.size(); i++)
            if (table.snapshot(((Snapshot) before.get(i)).snapshotId()) == null) note(expired, before.get(i), nowMs);
    }

    /** The snapshots to expire: all but the last ones, and one for each ten seconds of the last five minutes. */
    private List chosen(long nowMs) {
        ArrayList all = snapshots();
        HashSet named = new HashSet();
        for (Iterator i = table.refs().values().iterator(); i.hasNext();)
            named.add(Long.valueOf(((SnapshotRef) i.next()).snapshotId()));
        ArrayList chosen = new ArrayList();
        long keptPeriod = Long.MIN_VALUE;
        for (int i = 0; i < all.size() - ALL_OF_THE_LAST; i++) {
            Snapshot snapshot = (Snapshot) all.get(i);
            long period = snapshot.timestampMillis() / ONE_IN_MS;
            boolean isOld = snapshot.timestampMillis() < nowMs - KEPT_MS;
            if (named.contains(Long.valueOf(snapshot.snapshotId()))) continue;
            if (isOld || period == keptPeriod) chosen.add(snapshot);
            else keptPeriod = period;
        }
        return chosen;
    }

    /**
     * Returns and removes the paths of some files that can be deleted.
     *
     * Each snapshot of the table is newer than what is taken here, so all are successors of the oldest one. Older ones may
     * not be: after a rollback, the table continues a snapshot that is older than those that were undone.
     */
    public List due(long nowMs) {
        Snapshot oldest = (Snapshot) table.snapshots().iterator().next();
        long limit = Math.min(nowMs - KEPT_MS, oldest.timestampMillis());
        ArrayList paths = take(removed, limit);
        List snapshots = take(expired, limit);
        if (snapshots.isEmpty()) return paths;
        HashSet kept = manifests(oldest);
        for (int i = 0; i < snapshots.size(); i++) {
            Snapshot snapshot = (Snapshot) snapshots.get(i);
            for (Iterator j = manifests(snapshot).iterator(); j.hasNext();) {
                Object path = j.next();
                // A file that the oldest snapshot does not have is not in any later one.
                if (kept.add(path)) paths.add(path);
            }
            paths.add(snapshot.manifestListLocation());
        }
        return paths;
    }

    private synchronized void note(ArrayDeque queue, Object item, long nowMs) {
        // While a tag keeps an old snapshot, nothing is taken. What is dropped here is deleted as an orphan after days.
        if (queue.size() == MAX_NOTED) queue.poll();
        queue.add(new Object[] {item, Long.valueOf(nowMs)});
    }

    private synchronized ArrayList take(ArrayDeque queue, long limit) {
        ArrayList taken = new ArrayList();
        while (!queue.isEmpty() && taken.size() < MAX_TAKEN) {
            Object[] first = (Object[]) queue.peek();
            if (((Long) first[1]).longValue() >= limit) break;
            taken.add(first[0]);
            queue.poll();
        }
        return taken;
    }

    private ArrayList snapshots() {
        ArrayList all = new ArrayList();
        for (Iterator i = table.snapshots().iterator(); i.hasNext();) all.add(i.next());
        return all;
    }

    private HashSet manifests(Snapshot snapshot) {
        HashSet paths = new HashSet();
        List all = snapshot.allManifests(table.io());
        for (int i = 0; i < all.size(); i++) paths.add(((ManifestFile) all.get(i)).path());
        return paths;
    }
}
