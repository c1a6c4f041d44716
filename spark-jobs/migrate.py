"""Moves the tables from one catalog to another, and checks that the rows are equal.

The catalog `lake` is the new one; `--source` has the settings of the other. If both have the same warehouse,
the files stay, and only the entries of the catalog move. Otherwise the rows are copied, and the old tables
stay. Standard output has a line of JSON for each step, and one for the result or the error.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lake import TABLES
from offstream_jobs.iceberg import recorded
from offstream_jobs.program import StreamError, run
from writer import catalog_settings, sole_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import DataFrame

# A timestamp has microseconds, and by default JSON has milliseconds.
_JSON = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
_DIGIT_COUNT = 15


class MigrationRefusedError(StreamError):
    """The tables cannot be moved to this catalog. Nothing was changed."""

    code = "MIGRATION_REFUSED"


class MigrationFailedError(StreamError):
    """The new tables do not have the rows of the old ones. They were deleted."""

    code = "MIGRATION_FAILED"


class Digest(NamedTuple):
    """The number of rows, and a checksum of all of them in any order."""

    rows: int
    checksum: str


class Moved(NamedTuple):
    """A table that was moved, and the digest of its rows, which is the same before and after."""

    name: str
    by: str
    rows: int
    checksum: str


def main() -> None:
    """Move the tables."""
    args = _arguments()
    spark = SparkSession.builder.getOrCreate()
    try:
        moved = migrate(spark, args.source, lambda step, table: _print(step=step, table=table))
        _print(tables=[table._asdict() for table in moved])
    except StreamError as error:
        _print(code=error.code, message=str(error))
        raise
    finally:
        spark.stop()


def migrate(
    spark: SparkSession, source: Mapping[str, str], report: Callable[[str, str], None] = lambda *_: None
) -> list[Moved]:
    """Move the tables from the catalog with the settings `source` to the catalog `lake`.

    No stream may write in the meantime: both catalogs are locked.
    """
    target = catalog_settings(spark)
    if source["uri"] == target["uri"]:
        raise MigrationRefusedError(f"the tables are in the catalog `{target['uri']}` already")
    by = "register" if source["warehouse"] == target["warehouse"] else "copy"
    # Java refuses to lock the same file twice.
    locked = {name: value for name, value in source.items() if by == "copy" or name != "warehouse"}
    with sole_writer(spark, locked), sole_writer(spark):
        return _Migration(spark, source, by).move(report)


class _Migration:
    def __init__(self, spark: SparkSession, source: Mapping[str, str], by: str) -> None:
        self._spark = spark
        self._by = by
        self._java: Any = spark._jvm
        self._old = self._catalog(source)
        # A catalog of this session cannot read the old entries: they are stored under the name `lake`. So
        # `old` is a temporary catalog, which lists the files that describe the current tables.
        place = Path(spark.sparkContext._temp_dir) / f"old-{uuid4()}.db"
        files = {name: value for name, value in source.items() if not name.startswith("jdbc.")}
        settings = {**files, "uri": f"jdbc:sqlite:{place}", "jdbc.schema-version": "V1"}
        spark.conf.set("spark.sql.catalog.old", "org.apache.iceberg.spark.SparkCatalog")
        for name, value in settings.items():
            spark.conf.set(f"spark.sql.catalog.old.{name}", value)

    def _catalog(self, settings: Mapping[str, str]) -> Any:  # noqa: ANN401 - Iceberg's catalog
        properties = self._java.java.util.HashMap()
        for name, value in settings.items():
            properties.put(name, value)
        hadoop = self._spark._jsc.hadoopConfiguration()
        return self._java.org.apache.iceberg.CatalogUtil.buildIcebergCatalog("lake", properties, hadoop)

    def move(self, report: Callable[[str, str], None]) -> list[Moved]:
        tables = [table for table in TABLES if self._old.tableExists(self._identifier(table))]
        if not tables:
            raise MigrationRefusedError("the catalog has no tables that could be moved")
        for table in TABLES:
            self._make_room(table)
        created: list[str] = []
        try:
            moved = [self._move(table, created, report) for table in tables]
        except Exception:
            for table in created:
                self._drop(table)
            raise
        if self._by == "register":
            for table in tables:
                # Without its files, which the new table uses.
                self._old.dropTable(self._identifier(table), False)
        return moved

    def _make_room(self, table: str) -> None:
        """Drop an empty table of the target, which a Thrift server may have created."""
        if not self._spark.catalog.tableExists(table):
            return
        rows = self._spark.table(table).count()
        if rows > 0:
            raise MigrationRefusedError(f"the new catalog already has a table `{table}` with {rows} rows")
        self._spark.sql(f"DROP TABLE {table} PURGE")

    def _drop(self, table: str) -> None:
        purge = " PURGE" if self._by == "copy" else ""
        self._spark.sql(f"DROP TABLE IF EXISTS {table}{purge}")

    def _move(self, table: str, created: list[str], report: Callable[[str, str], None]) -> Moved:
        old = self._old.loadTable(self._identifier(table))
        place = old.operations().current().metadataFileLocation()
        name = table.removeprefix("lake.")
        for catalog in ("old", "lake"):
            self._spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {catalog}.off")
        self._register("old", name, place)
        report(self._by, table)
        if self._by == "register":
            self._register("lake", name, place)
            created.append(table)
        else:
            created.append(table)
            self._copy(name, old)
        report("compare", table)
        before, after = digest(self._spark.table(f"old.{name}")), digest(self._spark.table(table))
        if before != after:
            raise MigrationFailedError(f"the rows of `{table}` are {after}, not {before}")
        return Moved(table, self._by, *after)

    def _register(self, catalog: str, name: str, place: str) -> None:
        quoted = place.replace("\\", "\\\\").replace("'", "\\'")
        self._spark.sql(
            f"CALL {catalog}.system.register_table(table => '{name}', metadata_file => '{quoted}')"
        )

    def _copy(self, name: str, old: Any) -> None:  # noqa: ANN401 - Iceberg's table
        """Create the table with all rows, the properties and the offsets of the old one in one commit."""
        rows = self._spark.table(f"old.{name}")
        writer = rows.orderBy(*_order(rows)).writeTo(f"lake.{name}").using("iceberg")
        version = self._java.org.apache.iceberg.TableUtil.formatVersion(old)
        for key, value in {**old.properties(), "format-version": str(version)}.items():
            writer.tableProperty(key, value)
        for key, value in recorded(old).items():
            writer.option(f"snapshot-property.{key}", value)
        writer.create()

    def _identifier(self, table: str) -> Any:  # noqa: ANN401 - Iceberg's name of a table
        return self._java.org.apache.iceberg.catalog.TableIdentifier.parse(table.removeprefix("lake."))


def _order(rows: DataFrame) -> list[str]:
    """Return the columns by which a stream finds rows, so that few files contain a key."""
    return ["code"] if "code" in rows.columns else ["topic", "kafka_partition", "kafka_offset"]


def digest(rows: DataFrame) -> Digest:
    """Return the number of rows, and the sum of two parts of the SHA-256 of each."""
    row = F.sha2(F.to_json(F.struct(*sorted(rows.columns)), _JSON), 256)
    parts = [F.substring(row, start, _DIGIT_COUNT) for start in (1, 1 + _DIGIT_COUNT)]
    sums = [F.sum(F.conv(part, 16, 10).cast("decimal(20,0)")) for part in parts]
    [found] = rows.select(F.count("*"), *sums).collect()
    return Digest(found[0], "-".join(f"{int(part or 0):x}" for part in found[1:]))


def _print(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--source", required=True, type=json.loads, help="settings of the old catalog, as JSON"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run("migrate", main)
