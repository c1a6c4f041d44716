"""Iceberg's own interface to the tables, and its procedures, which maintain a table without an index."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from offstream_jobs.checkpoint import Offsets


def iceberg_table(spark: SparkSession, name: str) -> Any:  # noqa: ANN401 - Iceberg's table
    """Load a table through Iceberg's own interface, without a statement of Spark."""
    java: Any = spark._jvm
    # The settings of the catalog are those of the active session of the thread.
    java.org.apache.spark.sql.classic.SparkSession.setActiveSession(spark._jsparkSession)
    return java.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, name)


def column_names(table: Any) -> list[str]:  # noqa: ANN401 - Iceberg's table
    """Return the names of the columns of a table of Iceberg."""
    return [column.name() for column in table.schema().columns()]


def recorded(table: Any) -> dict[str, str]:  # noqa: ANN401 - Iceberg's table
    """Return the properties of the newest snapshot that has offsets. SQL statements make others."""
    snapshot = table.currentSnapshot()
    while snapshot is not None:
        summary = dict(snapshot.summary())
        if "offstream.offsets" in summary:
            return {name: value for name, value in summary.items() if name.startswith("offstream.")}
        parent = snapshot.parentId()
        # A snapshot before this one may have been expired.
        snapshot = None if parent is None else table.snapshot(parent)
    return {}


class Contents(NamedTuple):
    """Which table it is, and which messages it contains."""

    table_id: str
    topic_id: str | None
    """The topic of `offsets`; None if no snapshot has them."""
    offsets: Offsets
    """All messages before these are in the table. Empty if no snapshot has them."""


def contents(table: Any) -> Contents:  # noqa: ANN401 - Iceberg's table
    """Read the newest offsets in the history of a table. Snapshots of SQL statements have none."""
    summary = recorded(table)
    return Contents(
        table_id=table.uuid().toString(),
        topic_id=summary.get("offstream.topic-id"),
        offsets=json.loads(summary.get("offstream.offsets", "{}")),
    )


def compact(spark: SparkSession, table: str) -> None:
    """Rewrite small files and deletes into few larger files.

    Without it every batch leaves files behind, and reads slow down. It must not run during a MERGE.
    """
    with _offsets_kept(spark, table):
        _call(spark, "rewrite_data_files", table, "options => map('remove-dangling-deletes', 'true')")
        _call(spark, "rewrite_position_delete_files", table)


def rewrite(spark: SparkSession, table: str) -> None:
    """Rewrite all files into few large ones without deleted rows. It must not run during a MERGE."""
    with _offsets_kept(spark, table):
        _call(
            *(spark, "rewrite_data_files", table),
            "options => map('rewrite-all', 'true', 'remove-dangling-deletes', 'true')",
        )
        _call(spark, "rewrite_position_delete_files", table)


@contextmanager
def _offsets_kept(spark: SparkSession, name: str) -> Iterator[None]:
    """Record the offsets again after a rewrite: its snapshots have none, and those before it expire."""
    before = recorded(iceberg_table(spark, name))
    yield
    table = iceberg_table(spark, name)
    if not before or "offstream.offsets" in table.currentSnapshot().summary():
        return
    change = table.newAppend()
    for key, value in before.items():
        change.set(key, value)
    change.commit()


def expire_snapshots(spark: SparkSession, table: str, at_ms: int | None = None) -> None:
    """Delete the snapshots that no query can still read, and the files that only they use.

    A query reads the snapshot that was current when it started. So the one that was current five minutes ago
    stays, however old it is.
    """
    max_age_ms = int(iceberg_table(spark, table).properties()["history.expire.max-snapshot-age-ms"])
    before_ms = (now_ms() if at_ms is None else at_ms) - max_age_ms
    [row] = spark.sql(
        f"SELECT coalesce(unix_millis(max(committed_at)), {before_ms}) AS ms FROM {table}.snapshots "
        f"WHERE committed_at <= timestamp_millis({before_ms})"
    ).collect()
    moment = datetime.fromtimestamp(row["ms"] / 1000, timezone.utc)
    _call(spark, "expire_snapshots", table, f"older_than => TIMESTAMP '{moment.isoformat(' ')}'")


def remove_orphans(spark: SparkSession, table: str) -> None:
    """Delete files older than three days that the table does not know, left by writers that died."""
    # Spark has no file system for an object store, so Iceberg lists it.
    location = iceberg_table(spark, table).location()
    listing = () if location.startswith(("file:", "/")) else ("prefix_listing => true",)
    _call(spark, "remove_orphan_files", table, *listing)


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return int(time.time() * 1000)


def _call(spark: SparkSession, procedure: str, table: str, *arguments: str) -> None:
    listed = ", ".join((f"table => '{table}'", *arguments))
    spark.sql(f"CALL lake.system.{procedure}({listed})")
