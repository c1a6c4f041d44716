"""The tables. Only this module declares, writes, compacts and cleans them.

They are in the catalog `lake`, which `spark.sql.catalog.lake.*` configures from outside. Only one job writes
them, stream.py. Readers see whole commits.
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

COLUMNS = {PRODUCTS: PRODUCT_COLUMNS, REJECTED: REJECTED_COLUMNS}

_PROPERTIES = {
    "format-version": "2",
    # With merge-on-read and without a shuffle before the write, the cost of an upsert depends on the size of
    # the batch, not of the table. There is only one writer, so snapshot isolation is enough.
    "write.merge.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.delete.mode": "merge-on-read",
    "write.distribution-mode": "none",
    "write.merge.distribution-mode": "none",
    "write.merge.isolation-level": "snapshot",
    # Compaction rewrites files that are smaller than three quarters of this. With the default of 512 MiB it
    # would rewrite the whole of a small table every time.
    "write.target-file-size-bytes": str(32 * 1024 * 1024),
    # Old metadata of a commit a second would fill the disk. A query has five minutes from its start until the
    # files that it reads may be deleted.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "history.expire.max-snapshot-age-ms": str(5 * 60 * 1000),
    "history.expire.min-snapshots-to-keep": "1",
}

_MAX_TRIES = 5
_PAUSE_SECONDS = 0.5


def ensure_tables(spark: SparkSession) -> None:
    """Create the tables if they do not exist; add missing columns and set the properties of older ones.

    The stream and the Thrift server may do this at the same moment. One of them then fails because the other
    was faster, and succeeds when it tries again. After five tries the error is thrown.
    """
    for retries_left in reversed(range(_MAX_TRIES)):
        try:
            spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.off")
            for table, columns in COLUMNS.items():
                _ensure_table(spark, table, columns)
        except Exception:
            if retries_left == 0:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def set_snapshot_properties(spark: SparkSession, properties: dict[str, str]) -> None:
    """Set the properties of the snapshots that the next MERGE statements of this session commit."""
    for name, value in properties.items():
        spark.conf.set(f"spark.sql.iceberg.snapshot-property.{name}", value)


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


def rewrite(spark: SparkSession, table: str) -> None:
    """Rewrite all files into few large ones without deleted rows. It must not run beside a MERGE."""
    _call(
        *(spark, "rewrite_data_files", table),
        "options => map('rewrite-all', 'true', 'remove-dangling-deletes', 'true')",
    )
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
