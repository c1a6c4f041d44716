"""The tables: the one place that declares them and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from products import POSITION, PRODUCT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

PRODUCTS = "lake.off.products"
REJECTED = "lake.off.rejected"

_REJECTED_COLUMNS = {
    "topic": "STRING",
    "kafka_partition": "INT",
    "kafka_offset": "BIGINT",
    "kafka_timestamp": "TIMESTAMP",
    "key": "STRING",
    "value": "STRING",
    "reason": "STRING",
}

# Merge-on-read and no shuffle before the write: measured 3 to 11 times quicker than the other ways to
# upsert (packages/bench). One writer, so the weaker isolation loses nothing. Old metadata is deleted
# with each commit, or a commit a second would fill the disk.
_PROPERTIES = {
    "format-version": "2",
    "write.merge.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.delete.mode": "merge-on-read",
    "write.distribution-mode": "none",
    "write.merge.distribution-mode": "none",
    "write.merge.isolation-level": "snapshot",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
}


def ensure_tables(spark: SparkSession) -> None:
    """Make the tables where they are not there, and add columns that came since; safe to do at once."""
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.off")
    products = _columns_of(PRODUCT) | _columns_of(POSITION)
    for table, columns in ((PRODUCTS, products), (REJECTED, _REJECTED_COLUMNS)):
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        properties = ", ".join(f"'{name}' = '{value}'" for name, value in _PROPERTIES.items())
        spark.sql(
            f"CREATE TABLE IF NOT EXISTS {table} ({declared}) USING iceberg TBLPROPERTIES ({properties})"
        )
        known = spark.table(table).columns
        added = [f"{name} {kind}" for name, kind in columns.items() if name not in known]
        if added:
            spark.sql(f"ALTER TABLE {table} ADD COLUMNS ({', '.join(added)})")


def merge_products(rows: DataFrame) -> None:
    """Put rows (one a code) into the table: a newer row replaces an older one, an older one changes nothing.

    Newer is a total order (`as_of`, `rev`, offset), so any order and any repetition of the same
    messages ends in the same table.
    """
    rows.createOrReplaceTempView("merge_products_source")
    names = [*PRODUCT.names, *POSITION.names]
    rows.sparkSession.sql(f"""
        MERGE INTO {PRODUCTS} AS t USING merge_products_source AS s ON t.code = s.code
        WHEN MATCHED AND (
            s.as_of > t.as_of
            OR (s.as_of = t.as_of AND coalesce(s.rev, -1) > coalesce(t.rev, -1))
            OR (s.as_of = t.as_of AND coalesce(s.rev, -1) = coalesce(t.rev, -1) AND s.kafka_offset > t.kafka_offset)
        ) THEN UPDATE SET {", ".join(f"t.{name} = s.{name}" for name in names)}
        WHEN NOT MATCHED THEN INSERT ({", ".join(names)}) VALUES ({", ".join(f"s.{name}" for name in names)})
    """)


def merge_rejected(rows: DataFrame) -> None:
    """Keep rows that could not be read, each message once however often it is read."""
    rows.createOrReplaceTempView("merge_rejected_source")
    rows.sparkSession.sql(f"""
        MERGE INTO {REJECTED} AS t USING merge_rejected_source AS s
        ON t.topic = s.topic AND t.kafka_partition = s.kafka_partition AND t.kafka_offset = s.kafka_offset
            AND t.kafka_timestamp = s.kafka_timestamp
        WHEN NOT MATCHED THEN INSERT *
    """)


def tidy(spark: SparkSession) -> None:
    """Fold deletes and small files into few larger ones and forget old snapshots.

    Without it every trigger leaves files behind: reads slow down and the disk fills in weeks.
    """
    for table in ("off.products", "off.rejected"):
        spark.sql(
            f"CALL lake.system.rewrite_data_files(table => '{table}', options => map('delete-file-threshold', '1'))"
        )
        spark.sql(f"CALL lake.system.rewrite_position_delete_files(table => '{table}')")
        spark.sql(
            f"CALL lake.system.expire_snapshots(table => '{table}', retain_last => 5, older_than => current_timestamp())"
        )


def _columns_of(schema: StructType) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in schema.fields}
