"""The tables of a stream: how they are created, and one with a row per key that MERGE writes."""

from __future__ import annotations

import re
import sys
import threading
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from offstream_jobs.iceberg import column_names, compact, expire_snapshots, iceberg_table, remove_orphans
from offstream_jobs.program import one_line
from offstream_jobs.upkeep import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql.types import StructType

_PROPERTIES = {
    "format-version": "2",
    # With merge-on-read and without a shuffle before the write, the cost of an upsert depends on the size of
    # the batch, not of the table.
    "write.merge.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.delete.mode": "merge-on-read",
    "write.distribution-mode": "none",
    "write.merge.distribution-mode": "none",
    # A MERGE fails if another writer has added rows since it read the table: they may have the same key.
    "write.merge.isolation-level": "serializable",
    # Compaction rewrites files that are smaller than three quarters of this. With the default of 512 MiB it
    # would rewrite the whole of a small table every time.
    "write.target-file-size-bytes": str(32 * 1024 * 1024),
    # Old metadata of a commit a second would fill the disk. A query has five minutes from its start until the
    # files that it reads may be deleted.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "commit.manifest.min-count-to-merge": "8",
    "history.expire.max-snapshot-age-ms": str(5 * 60 * 1000),
    "history.expire.min-snapshots-to-keep": "1",
}

_MAX_SMALL_FILES = 50

_NAME = re.compile(r"lake\.\w+\.\w+")


def is_as_declared(spark: SparkSession, name: str, columns: StructType) -> bool:
    """Whether a table exists with at least these columns, and with the properties of `ensure_table`."""
    try:
        table = iceberg_table(spark, name)
    except (Py4JJavaError, PySparkException):
        return False
    java: Any = spark._jvm
    version = java.org.apache.iceberg.TableUtil.formatVersion(table)
    properties = {**table.properties(), "format-version": str(version)}
    return {*columns.names} <= {*column_names(table)} and _PROPERTIES.items() <= properties.items()


def ensure_table(spark: SparkSession, table: str, columns: StructType) -> None:
    """Create a table if it does not exist; add missing columns and set missing properties."""
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


def create_views(spark: SparkSession, folder: Path, namespace: str) -> None:
    """Create a view for each SQL file of a folder, in the order of their names.

    A file has one SELECT. Its name is that of the view. The catalog stores the view, so every program with
    the catalog sees it at once, and also while this one does not run.
    """
    for file in sorted(folder.glob("*.sql")):
        query = file.read_text(encoding="utf-8").strip().removesuffix(";")
        try:
            spark.sql(f"CREATE OR REPLACE VIEW {namespace}.{file.stem} AS\n{query}")
        except PySparkException as error:
            raise ValueError(f"{file}: {one_line(error)}") from error


class UpsertTable:
    """A table with one row per key, the newest. Nothing else may change it while this writes it.

    Of two rows of a key, the one whose `order` columns are greater is newer. The first column that differs
    decides; null is the smallest value. If rows that differ never have equal values in all `order` columns,
    the same rows in any order, repeated or not, give the same table.
    """

    def __init__(self, spark: SparkSession, name: str, key: Sequence[str], order: Sequence[str]) -> None:
        """Create nothing yet."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"the table must have a name such as `lake.shop.clicks`, not `{name}`")
        self.name = name
        self.namespace, self._alias = name.rsplit(".", 1)
        self._spark = spark
        self._key = key
        self._order = order
        self._lock = threading.Lock()
        """Held while a batch is written and while files are rewritten."""
        self._merges_since_compaction = 0
        self._merges_since_expiry = 0

    def ensure(self, columns: StructType) -> None:
        """Create the table, or add the columns that it lacks; throw ValueError if the rows do not fit."""
        missing = [name for name in (*self._key, *self._order) if name not in columns.names]
        if missing:
            raise ValueError(
                f"the rows have no column {_quoted(missing)}; they have {_quoted(columns.names)}"
            )
        if not is_as_declared(self._spark, self.name, columns):
            self._spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {self.namespace}")
            ensure_table(self._spark, self.name, columns)
        self._refuse_other_columns(columns)

    def write(
        self, batch: DataFrame, properties: dict[str, str], check: Callable[[], None] = lambda: None
    ) -> None:
        """Upsert the rows of a batch. Writing it again changes nothing.

        The snapshot gets `properties`. `check` is called when the batch was read; if it throws, nothing is
        written. Rows without a key are not written.
        """
        for name, value in properties.items():
            batch.sparkSession.conf.set(f"spark.sql.iceberg.snapshot-property.{name}", value)
        # Every action reads Kafka again unless the batch is persisted, and MERGE reads its source twice.
        rows = batch.persist()
        try:
            without_key = rows.where(self._any_null(self._key)).count()
            check()
            if without_key:
                print(f"{without_key} rows without a key were skipped", file=sys.stderr, flush=True)
            with self._lock:
                self._merge(rows)
                self._merges_since_compaction += 1
                self._merges_since_expiry += 1
        finally:
            rows.unpersist()

    def upkeep_steps(self) -> list[Step]:
        """Return what keeps the table small and fast to read."""
        return [
            Step("compaction", self.name, self._compact, 60),
            Step("snapshot expiry", self.name, self._expire_snapshots, 60),
            Step("orphan removal", self.name, self._remove_orphans, 6 * 3_600),
        ]

    def _merge(self, rows: DataFrame) -> None:
        columns = rows.columns
        newest = (
            rows.where(~self._any_null(self._key))
            .groupBy(*self._key)
            .agg(F.max_by(F.struct(*columns), F.struct(*self._order)).alias("newest"))
            .select(*(f"newest.{name}" for name in columns))
        )
        values = {name: F.col(f"incoming.{name}") for name in columns}
        is_same = [F.col(f"{self._alias}.{name}") == F.col(f"incoming.{name}") for name in self._key]
        (
            newest.alias("incoming")
            .mergeInto(self.name, _all(is_same))
            .whenMatched(self._age("incoming") > self._age(self._alias))
            .update(values)
            .whenNotMatched()
            .insert(values)
            .merge()
        )

    def _age(self, row: str) -> Column:
        return F.struct(*(F.col(f"{row}.{name}") for name in self._order))

    def _any_null(self, columns: Sequence[str]) -> Column:
        return ~_all([F.col(name).isNotNull() for name in columns])

    def _refuse_other_columns(self, columns: StructType) -> None:
        """Throw ValueError unless the table has these columns and no other.

        An update without a value for a column would mix two messages in one row.
        """
        declared = {field.name: field.dataType.simpleString() for field in columns}
        for field in self._spark.table(self.name).schema:
            kind = declared.get(field.name)
            if kind is None:
                raise ValueError(
                    f"`{self.name}` has a column `{field.name}` that the rows do not have; drop it with "
                    f"`ALTER TABLE {self.name} DROP COLUMN {field.name}`, or add it to the rows"
                )
            if kind != field.dataType.simpleString():
                raise ValueError(
                    f"`{field.name}` is a {kind} in the rows and a {field.dataType.simpleString()} "
                    f"in `{self.name}`; convert it with `cast`"
                )

    def _compact(self) -> bool:
        if self._merges_since_compaction >= _MAX_SMALL_FILES:
            with self._lock:
                compact(self._spark, self.name)
                self._merges_since_compaction = 0
        return False

    def _expire_snapshots(self) -> bool:
        if self._merges_since_expiry > 0:
            with self._lock:
                expire_snapshots(self._spark, self.name)
                self._merges_since_expiry = 0
        return False

    def _remove_orphans(self) -> bool:
        remove_orphans(self._spark, self.name)
        return False


def _all(conditions: list[Column]) -> Column:
    first, *others = conditions
    for condition in others:
        first = first & condition
    return first


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())
