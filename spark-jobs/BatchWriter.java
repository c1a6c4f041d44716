package offstream;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.iceberg.DataFile;
import org.apache.iceberg.SerializableTable;
import org.apache.iceberg.Table;
import org.apache.iceberg.hadoop.HadoopTables;
import org.apache.iceberg.spark.Spark3Util;
import org.apache.iceberg.spark.SparkSchemaUtil;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/**
 * Writes batches of messages to the tables: one job reads a batch, and the driver commits what the tasks return.
 *
 * A table is opened before the first batch, and again if it has changed since. If this throws, call `close` and write
 * the batch with MERGE.
 */
public class BatchWriter {
    private final SparkSession session;
    private final JavaSparkContext context;
    private final String productsName;
    private final String rejectedName;
    private final String rules;
    private final List columns;
    private final int maxRows;
    private final int maxDriverRows;
    private boolean tooLarge = false;
    private volatile ProductTable products = null;
    private volatile RejectedTable rejected = null;
    private Broadcast broadcast = null;
    private Layout layout = null;
    private ProductTable scratch = null;
    private BatchRows rows = null;
    private List results = null;

    /**
     * `columns` are those of `MessageReader`. A table of more than `maxRows` products gets no index. A batch with more
     * rows than `maxDriverRows` is written to files by its tasks.
     */
    public BatchWriter(
            SparkSession session, String products, String rejected, String rules, List columns, int maxRows,
            int maxDriverRows) {
        this.session = session;
        context = new JavaSparkContext(session.sparkContext());
        productsName = products;
        rejectedName = rejected;
        this.rules = rules;
        this.columns = columns;
        this.maxRows = maxRows;
        this.maxDriverRows = maxDriverRows;
    }

    /**
     * Reads all messages of a batch. Returns false if it must be written with MERGE: too many products, or rejected messages
     * of too many bytes. Otherwise `write` writes it. Call `discard` after both, also if one of them throws.
     */
    public synchronized boolean read(Dataset batch) throws Exception {
        if (!open()) return false;
        rows = rows(batch);
        results = rows.keys(maxDriverRows);
        for (int i = 0; i < results.size(); i++) if (rejected(i) == null) return false;
        return true;
    }

    /** Writes the batch that `read` has read. */
    public synchronized void write(Map properties) throws Exception {
        ArrayList wrong = new ArrayList();
        for (int i = 0; i < results.size(); i++) wrong.addAll(rejected(i));
        // Products are last: their snapshot proves that the whole batch is in the tables.
        if (!wrong.isEmpty()) addRejected(wrong, properties);
        products.write(results, rows, properties);
    }

    /** Forgets the batch that `read` has read. */
    public synchronized void discard() {
        if (rows != null) rows.close();
        rows = null;
        results = null;
    }

    private List rejected(int partition) {
        return (List) ((Object[]) results.get(partition))[BatchTask.REJECTED];
    }

    /** Writes a batch to a table in a temporary folder, which loads and compiles what `write` needs. */
    public synchronized void warmUp(Dataset batch, String folder) throws Exception {
        Table table = Spark3Util.loadIcebergTable(session, productsName);
        if (layout == null) setLayout(table);
        if (scratch == null) scratch = scratchTable(table, folder);
        BatchRows sample = rows(batch);
        try {
            scratch.write(sample.keys(maxDriverRows), sample, new HashMap());
        } finally {
            sample.close();
        }
    }

    /** Discards everything that is known about the tables. */
    public synchronized void close() {
        products = null;
        rejected = null;
    }

    /** Builds the index, unless it belongs to the current snapshot. Returns false if the table is too large. */
    public synchronized boolean open() throws Exception {
        if (products != null && products.size() > maxRows) tooLarge = true;
        if (products != null && products.isCurrent() && !tooLarge) return true;
        products = null;
        Table table = Spark3Util.loadIcebergTable(session, productsName);
        // The summary of a snapshot has only an approximate count.
        tooLarge = tooLarge || rows(table) > maxRows;
        if (tooLarge) return false;
        products = new ProductTable(table, maxDriverRows, places(table));
        setLayout(table);
        return true;
    }

    private void setLayout(Table table) throws Exception {
        Table other = Spark3Util.loadIcebergTable(session, rejectedName);
        layout = new Layout(columns, SparkSchemaUtil.convert(table.schema()), SparkSchemaUtil.convert(other.schema()));
        broadcast = context.broadcast(SerializableTable.copyOf(table));
    }

    private ProductTable scratchTable(Table table, String folder) throws Exception {
        HadoopTables tables = new HadoopTables(context.hadoopConfiguration());
        Table created = tables.create(table.schema(), table.spec(), table.properties(), folder);
        // With so short a tail there are deletes, too.
        return new ProductTable(created, 10, new ArrayList().iterator());
    }

    /** Returns whether there is an index; without one, SQL procedures must maintain the tables. */
    public boolean isIndexed() {
        return products != null;
    }

    /** Rewrites some files, if that is useful, and returns whether it was. Batches continue in the meantime. */
    public boolean compact() throws Exception {
        ProductTable current = products;
        if (current == null) return false;
        DeleteCompaction ofDeletes = current.startDeleteCompaction();
        if (ofDeletes != null) {
            current.finishDeleteCompaction(ofDeletes);
            return true;
        }
        Compaction compaction = current.startCompaction();
        if (compaction != null) finishCompaction(compaction);
        return compaction != null;
    }

    public Compaction startCompaction() {
        return products.startCompaction();
    }

    public void finishCompaction(Compaction compaction) throws Exception {
        compaction.table.finishCompaction(compaction, rewritten(compaction));
    }

    /** Writes the new file, which is not part of the table yet. */
    public DataFile rewritten(Compaction compaction) {
        CompactionTask task = new CompactionTask(broadcast, compaction.paths, compaction.kept());
        JavaRDD one = context.parallelize(Collections.singletonList(Integer.valueOf(0)), 1);
        return (DataFile) one.mapPartitions(task).collect().get(0);
    }

    public void expireProducts(long nowMs) {
        ProductTable current = products;
        if (current != null) current.expireSnapshots(nowMs);
    }

    public void expireRejected(long nowMs) {
        RejectedTable current = rejected;
        if (current != null) current.expireSnapshots(nowMs);
    }

    /** Deletes some files that no query can still read. Returns whether there are more. */
    public boolean deleteFiles(long nowMs) {
        ProductTable current = products;
        RejectedTable other = rejected;
        boolean more = current != null && current.deleteFiles(nowMs);
        return (other != null && other.deleteFiles(nowMs)) || more;
    }

    private BatchRows rows(Dataset batch) {
        JavaRDD messages = batch.queryExecution().toRdd().toJavaRDD();
        MessageReader reader = new MessageReader(rules, batch.schema());
        return new BatchRows(messages.mapPartitions(new BatchTask(reader, layout)), broadcast);
    }

    private void addRejected(List rows, Map properties) throws Exception {
        if (rejected == null || !rejected.isCurrent()) {
            rejected = null;
            Table table = Spark3Util.loadIcebergTable(session, rejectedName);
            Column last = functions.expr("coalesce(max(kafka_offset), -1L)");
            Row found = (Row) snapshot(table, rejectedName).select(new Column[] {last}).head();
            rejected = new RejectedTable(table, maxDriverRows, layout.rejected, found.getLong(0));
        }
        rejected.add(rows, known(rows), properties);
    }

    /**
     * The keys of the messages in the table that may be among the rows. Only messages that are read again can be in the
     * table: after a kill, and if the topic is read from its beginning.
     */
    private Set known(List rows) {
        long first = Long.MAX_VALUE;
        long last = Long.MIN_VALUE;
        for (int i = 0; i < rows.size(); i++) {
            long offset = rejected.offset(rows.get(i));
            first = Math.min(first, offset);
            last = Math.max(last, offset);
        }
        HashSet keys = new HashSet();
        if (first > rejected.lastOffset()) return keys;
        Dataset inTable = session.table(rejectedName).where("kafka_offset BETWEEN " + first + " AND " + last);
        List found = inTable.select(new Column[] {functions.expr(RejectedTable.KEY)}).collectAsList();
        for (int i = 0; i < found.size(); i++) keys.add(((Row) found.get(i)).getString(0));
        return keys;
    }

    private Iterator places(Table table) {
        if (table.currentSnapshot() == null) return new ArrayList().iterator();
        Column[] columns = new Column[IndexTask.COLUMNS.length];
        for (int i = 0; i < columns.length; i++) columns[i] = functions.col(IndexTask.COLUMNS[i]);
        JavaRDD rows = snapshot(table, productsName).select(columns).queryExecution().toRdd().toJavaRDD();
        return rows.mapPartitions(new IndexTask()).toLocalIterator();
    }

    private Dataset snapshot(Table table, String name) {
        long id = LakeTable.currentSnapshot(table);
        // A table without a snapshot is empty.
        return id < 0 ? session.table(name) : session.read().option("versionAsOf", id).table(name);
    }

    /** The number of rows that are not deleted, or a few more. */
    private static long rows(Table table) {
        if (table.currentSnapshot() == null) return 0;
        Map summary = table.currentSnapshot().summary();
        return count(summary, "total-records") - count(summary, "total-position-deletes");
    }

    private static long count(Map summary, String name) {
        return summary.containsKey(name) ? Long.parseLong((String) summary.get(name)) : 0;
    }
}
