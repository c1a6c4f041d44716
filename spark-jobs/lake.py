"""The tables: the one place that declares, writes and tidies them.

They live in the catalog `lake`, which is configured from outside by `spark.sql.catalog.lake.*`. One job
writes them, stream.py; whoever reads them sees whole commits.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from products import REJECTED as REJECTED_COLUMNS
from products import TABLE as PRODUCT_COLUMNS
from products import age, newest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

PRODUCTS = "lake.off.products"
REJECTED = "lake.off.rejected"

TABLES = (PRODUCTS, REJECTED)

_COLUMNS = {PRODUCTS: PRODUCT_COLUMNS, REJECTED: REJECTED_COLUMNS}

_PROPERTIES = {
    "format-version": "2",
    # Merge-on-read and no shuffle before the write: an upsert then costs what the batch is, not what the
    # table is. There is one writer, so the weaker isolation loses nothing.
    "write.merge.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.delete.mode": "merge-on-read",
    "write.distribution-mode": "none",
    "write.merge.distribution-mode": "none",
    "write.merge.isolation-level": "snapshot",
    # Tidying rewrites files smaller than three quarters of this: at the default of 512 MiB that is the whole
    # of a small table, every time.
    "write.target-file-size-bytes": str(32 * 1024 * 1024),
    # A commit a second would fill the disk with old metadata. Five minutes is what a query has, from its
    # start, until files that it reads may go.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "history.expire.max-snapshot-age-ms": str(5 * 60 * 1000),
    "history.expire.min-snapshots-to-keep": "1",
}

_TRIES = 5
_PAUSE_SECONDS = 0.5


def ensure_tables(spark: SparkSession) -> None:
    """Make the tables where they are not there, and bring older ones up to these columns and properties.

    Stream and Thrift server may do so at the same moment, and one of the two then fails at what the other
    has just done; it finds it done when it tries again. What still fails after some tries is thrown.
    """
    for left in reversed(range(_TRIES)):
        try:
            spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.off")
            for table, columns in _COLUMNS.items():
                _ensure_table(spark, table, columns)
        except Exception:
            if left == 0:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def merge_products(rows: DataFrame) -> None:
    """Put rows into the table: of each code the newest, and only where it is newer than the table's.

    Newer is a total order (`products.age`), so any order and any repetition of the same messages ends in
    the same table.
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
    """Keep messages that could not be read, each once however often it comes."""
    values = {name: F.col(f"new.{name}") for name in REJECTED_COLUMNS.names}
    # The timestamp as well: a topic that was made anew counts from 0 again.
    message = ("topic", "kafka_partition", "kafka_offset", "kafka_timestamp")
    (
        rows.dropDuplicates(list(message))
        .alias("new")
        .mergeInto(REJECTED, F.expr(" AND ".join(f"rejected.{name} = new.{name}" for name in message)))
        .whenNotMatched()
        .insert(values)
        .merge()
    )


def compact(spark: SparkSession, table: str) -> None:
    """Rewrite small files and deletes into few larger files.

    Without it every batch leaves files behind, and reads slow down. It must not run beside a MERGE.
    """
    _call(spark, "rewrite_data_files", table, "options => map('remove-dangling-deletes', 'true')")
    _call(spark, "rewrite_position_delete_files", table)


def expire_snapshots(spark: SparkSession, table: str) -> None:
    """Delete snapshots that are older than a query may need, and the files that only they use."""
    _call(spark, "expire_snapshots", table)


def remove_orphans(spark: SparkSession, table: str) -> None:
    """Delete files older than three days that the table does not know, left by writers that died."""
    _call(spark, "remove_orphan_files", table)


def _ensure_table(spark: SparkSession, table: str, columns: StructType) -> None:
    declared = {field.name: field.dataType.simpleString() for field in columns}
    spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({_listed(declared)}) USING iceberg")
    known = spark.table(table).columns
    added = {name: kind for name, kind in declared.items() if name not in known}
    if added:
        spark.sql(f"ALTER TABLE {table} ADD COLUMNS ({_listed(added)})")
    properties = {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {table}").collect()}
    changed = {name: value for name, value in _PROPERTIES.items() if properties.get(name) != value}
    if changed:
        settings = ", ".join(f"'{name}' = '{value}'" for name, value in changed.items())
        spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ({settings})")


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def _call(spark: SparkSession, procedure: str, table: str, *arguments: str) -> None:
    listed = ", ".join((f"table => '{table}'", *arguments))
    spark.sql(f"CALL lake.system.{procedure}({listed})")
