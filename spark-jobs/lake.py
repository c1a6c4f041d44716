"""The tables. Only this module declares and writes them, and says how they are compacted and cleaned.

They are in the catalog `lake`, which `spark.sql.catalog.lake.*` configures from outside. Only one job writes
them, stream.py. Readers see whole commits.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

import java_classes
from messages import READ, accepted, read_messages, rejected, rules
from offstream_jobs.iceberg import compact, expire_snapshots, now_ms, remove_orphans
from offstream_jobs.program import one_line
from offstream_jobs.table import ensure_table, is_as_declared
from offstream_jobs.upkeep import Step
from products import REJECTED as REJECTED_COLUMNS
from products import TABLE as PRODUCT_COLUMNS
from products import age, newest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pyspark.sql import DataFrame, SparkSession

PRODUCTS = "lake.off.products"
REJECTED = "lake.off.rejected"

TABLES = (PRODUCTS, REJECTED)

COLUMNS = {PRODUCTS: PRODUCT_COLUMNS, REJECTED: REJECTED_COLUMNS}

_MAX_SMALL_FILES = 50

_MAX_TRIES = 5
_PAUSE_SECONDS = 0.5


def ensure_tables(spark: SparkSession) -> None:
    """Create the tables if they do not exist; add missing columns and set the properties of older ones.

    The stream and the Thrift server may do this at the same moment. One of them then fails because the other
    was faster, and succeeds when it tries again. After five tries the error is thrown.
    """
    for retries_left in reversed(range(_MAX_TRIES)):
        try:
            missing = [table for table in TABLES if not is_as_declared(spark, table, COLUMNS[table])]
            if missing:
                spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.off")
            for table in missing:
                ensure_table(spark, table, COLUMNS[table])
        except Exception:
            if retries_left == 0:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


class Tables:
    """Writes batches of messages to the tables, and maintains them. Nothing else may change the tables.

    BatchWriter.java does both without a plan of Spark and without reading the tables. If it cannot write a
    batch, MERGE does, and the next batch starts with a new index. Upkeep may run in another thread.
    """

    def __init__(
        self, spark: SparkSession, max_indexed_rows: int = 5_000_000, max_driver_rows: int = 2_000
    ) -> None:
        """With more products than `max_indexed_rows`, MERGE writes each batch.

        A batch with more products than `max_driver_rows` is written to files by its tasks.
        """
        self._spark = spark
        self._lock = threading.RLock()
        """Held while a batch is written."""
        self._compacting = threading.RLock()
        """Held while files are rewritten. Code that needs both locks takes this one first."""
        self._merges = dict.fromkeys(TABLES, 0)
        self._writer = java_classes.new(
            spark.sparkContext,
            "BatchWriter",
            *(spark._jsparkSession, PRODUCTS, REJECTED, rules(), _java_list(spark, READ.names)),
            *(max_indexed_rows, max_driver_rows),
        )

    def warm_up(self, batch: DataFrame) -> None:
        """Write a batch to a temporary table of the driver."""
        # Spark deletes this folder when the program exits.
        folder = Path(self._spark.sparkContext._temp_dir) / "warm-up"
        self._writer.warmUp(batch._jdf, f"file:{folder}")

    def open(self) -> None:
        """Build the index of the products, which takes a few seconds for a million rows."""
        self._writer.open()

    def write(
        self, batch: DataFrame, properties: dict[str, str], check: Callable[[], None] = lambda: None
    ) -> None:
        """Write a batch of Kafka messages to the tables. Writing it again changes nothing.

        The snapshots get `properties`. The products are written last, so that a snapshot of them proves that
        the whole batch is in the tables. `check` is called when all messages have been read. If it throws,
        nothing is written.
        """
        with self._lock:
            if self._has_written(batch, properties, check):
                return
        self.merge(batch, properties, check)

    def merge(
        self, batch: DataFrame, properties: dict[str, str], check: Callable[[], None] = lambda: None
    ) -> None:
        """Write a batch with MERGE, which plans two queries and reads the table of products."""
        # MERGE fails if a file is rewritten while it runs.
        with self._compacting, self._lock:
            merge_batch(batch, properties, check)
            for table in TABLES:
                self._merges[table] += 1

    def _has_written(self, batch: DataFrame, properties: dict[str, str], check: Callable[[], None]) -> bool:
        try:
            if not self._succeeds(self._writer.read, batch._jdf):
                return False
            check()
            return self._succeeds(self._writer.write, _java_map(self._spark, properties))
        finally:
            self._writer.discard()

    def _succeeds(self, step: Callable[[Any], bool | None], argument: object) -> bool:
        """Call a step of the writer. It fails if it throws or returns False."""
        try:
            return step(argument) is not False
        except (Py4JJavaError, PySparkException) as error:
            self._writer.close()
            print(f"a batch is written by MERGE: {one_line(error)}", file=sys.stderr, flush=True)
            return False

    def compact(self, table: str) -> bool:
        """Rewrite some files of a table, if that is useful; return whether it was."""
        with self._compacting:
            if table == PRODUCTS and self._writer.isIndexed():
                compacted: bool = self._writer.compact()
                return compacted
            files = self._spark.table(f"{table}.files").count() if table == REJECTED else self._merges[table]
            if files < _MAX_SMALL_FILES:
                return False
            with self._lock:
                compact(self._spark, table)
                self._merges[table] = 0
            return True

    def alone(self, work: Callable[[], None]) -> None:
        """Do work while no batch is being written and no file is being rewritten."""
        with self._compacting, self._lock:
            work()

    def expire_snapshots(self, table: str) -> bool:
        """Remove old snapshots of a table."""
        if table == PRODUCTS and self._writer.isIndexed():
            self._writer.expireProducts(now_ms())
        elif table == REJECTED and self._writer.isIndexed():
            self._writer.expireRejected(now_ms())
        else:
            with self._lock:
                expire_snapshots(self._spark, table)
        return False

    def delete_files(self) -> bool:
        """Delete some files of removed snapshots; return whether there may be more."""
        deleted: bool = self._writer.deleteFiles(now_ms())
        return deleted

    def remove_orphans(self, table: str) -> bool:
        """Delete the files that killed writers left."""
        remove_orphans(self._spark, table)
        return False

    def upkeep_steps(self) -> list[Step]:
        """Return what keeps the tables small and fast to read."""
        return [
            Step("compaction", PRODUCTS, lambda: self.compact(PRODUCTS), 2),
            Step("compaction", REJECTED, lambda: self.compact(REJECTED), 600),
            Step("snapshot expiry", PRODUCTS, lambda: self.expire_snapshots(PRODUCTS), 10),
            Step("snapshot expiry", REJECTED, lambda: self.expire_snapshots(REJECTED), 10),
            Step("file deletion", PRODUCTS, self.delete_files, 2),
            Step("orphan removal", PRODUCTS, lambda: self.remove_orphans(PRODUCTS), 6 * 3_600),
            Step("orphan removal", REJECTED, lambda: self.remove_orphans(REJECTED), 6 * 3_600),
        ]


def merge_batch(batch: DataFrame, properties: dict[str, str], check: Callable[[], None]) -> None:
    """Write a batch with MERGE, which plans two queries and reads the tables even for a small batch."""
    for name, value in properties.items():
        batch.sparkSession.conf.set(f"spark.sql.iceberg.snapshot-property.{name}", value)
    # Every action reads Kafka again unless the batch is persisted, and MERGE reads its source twice.
    read = read_messages(batch).persist()
    try:
        read.count()
        check()
        wrong = rejected(read)
        if not wrong.isEmpty():
            merge_rejected(wrong)
        merge_products(accepted(read))
    finally:
        read.unpersist()


def merge_products(rows: DataFrame) -> None:
    """Upsert rows: the newest row of each code, and only if it is newer than the row in the table.

    `products.age` is a total order, so the same messages in any order, repeated or not, give the same table.
    """
    values = {name: F.col(f"new.{name}") for name in PRODUCT_COLUMNS.names}
    (
        newest(rows)
        .alias("new")
        .mergeInto(PRODUCTS, F.col("products.code") == F.col("new.code"))
        .whenMatched(age("new") > age("products"))
        .update(values)
        .whenNotMatched()
        .insert(values)
        .merge()
    )


def merge_rejected(rows: DataFrame) -> None:
    """Insert rejected messages that are not in the table yet."""
    values = {name: F.col(f"new.{name}") for name in REJECTED_COLUMNS.names}
    # The timestamp too, since the offsets of a topic that was deleted and created again start at 0.
    message = ("topic", "kafka_partition", "kafka_offset", "kafka_timestamp")
    (
        rows.dropDuplicates(list(message))
        .alias("new")
        .mergeInto(REJECTED, F.expr(" AND ".join(f"rejected.{name} = new.{name}" for name in message)))
        # Without this clause Spark appends the rows, and does not notice those of another writer.
        .whenMatched(F.lit(False))
        .delete()
        .whenNotMatched()
        .insert(values)
        .merge()
    )


def _java_list(spark: SparkSession, values: Iterable[str]) -> Any:  # noqa: ANN401 - an object of Java
    found = spark._jvm.java.util.ArrayList()  # type: ignore[union-attr]
    for value in values:
        found.add(value)
    return found


def _java_map(spark: SparkSession, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - an object of Java
    found = spark._jvm.java.util.HashMap()  # type: ignore[union-attr]
    for name, value in values.items():
        found[name] = value
    return found
