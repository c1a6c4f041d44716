"""Moves the tables from one catalog to another, and checks that the rows are equal.

The catalog `lake` is the new one; `--source` has the settings of the other. If both have the same warehouse,
the files stay, and only the entries of the catalog move. Otherwise the rows are copied, and the old tables
stay. If the program is killed, another run continues. Standard output has a line of JSON for each step, and
one for the result or the error.
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
from offstream_jobs.iceberg import iceberg_table, recorded
from offstream_jobs.program import StreamError, run
from writer import catalog_settings, sole_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import DataFrame

# A timestamp has microseconds, and by default JSON has milliseconds.
_JSON = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
_DIGIT_COUNT = 15
_UNFINISHED = "offstream.unfinished-copy"
"""The property of the first table until all tables are copied."""


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


class Migrated(NamedTuple):
    """The tables that were moved, and the names of those that stay: the user's own programs created them."""

    tables: list[Moved]
    others: list[str]


def main() -> None:
    """Move the tables."""
    args = _arguments()
    spark = SparkSession.builder.getOrCreate()
    try:
        tables, others = migrate(spark, args.source, lambda step, table: _print(step=step, table=table))
        _print(tables=[table._asdict() for table in tables], others=others)
    except StreamError as error:
        _print(code=error.code, message=str(error))
        raise
    finally:
        spark.stop()


def migrate(
    spark: SparkSession, source: Mapping[str, str], report: Callable[[str, str], None] = lambda *_: None
) -> Migrated:
    """Move the tables from the catalog with the settings `source` to the catalog `lake`.

    No stream may write in the meantime: both catalogs are locked, except for a REST catalog.
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
        self._source = self._catalog(source)
        self._tables = [table for table in TABLES if self._source.tableExists(self._identifier(table))]
        # A catalog of this session cannot read the old entries: they are stored under the name `lake`. So
        # `_old` is a temporary catalog, which lists the files that describe the current tables.
        self._old = f"old_{uuid4().hex}"
        place = Path(spark.sparkContext._temp_dir) / f"{self._old}.db"
        files = {name: value for name, value in source.items() if not name.startswith("jdbc.")}
        settings = {**files, "uri": f"jdbc:sqlite:{place}", "jdbc.schema-version": "V1"}
        spark.conf.set(f"spark.sql.catalog.{self._old}", "org.apache.iceberg.spark.SparkCatalog")
        for name, value in settings.items():
            spark.conf.set(f"spark.sql.catalog.{self._old}.{name}", value)

    def _catalog(self, settings: Mapping[str, str]) -> Any:  # noqa: ANN401 - Iceberg's catalog
        properties = self._java.java.util.HashMap()
        for name, value in settings.items():
            properties.put(name, value)
        hadoop = self._spark._jsc.hadoopConfiguration()
        return self._java.org.apache.iceberg.CatalogUtil.buildIcebergCatalog("lake", properties, hadoop)

    def move(self, report: Callable[[str, str], None]) -> Migrated:
        if not self._tables:
            raise MigrationRefusedError("the catalog has no tables that could be moved")
        others = self._others()
        left = self._left()
        # Of tables with the same warehouse, a killed run may have moved some completely.
        for table in TABLES if self._by == "copy" else self._tables:
            if table not in left:
                self._make_room(table)
        created: list[str] = []
        try:
            moved = [self._move(table, left, created, report) for table in self._tables]
        except Exception:
            # The first one last, because it shows that the copy is unfinished.
            for table in reversed(created):
                self._drop(table)
            raise
        self._finish()
        return Migrated(moved, others)

    def _others(self) -> list[str]:
        names = [
            f"lake.{table.toString()}"
            for namespace in self._source.listNamespaces()
            for table in self._source.listTables(namespace)
        ]
        return sorted({*names} - {*TABLES})

    def _finish(self) -> None:
        if self._by == "copy":
            self._spark.sql(f"ALTER TABLE {self._tables[0]} UNSET TBLPROPERTIES ('{_UNFINISHED}')")
            return
        for table in self._tables:
            # Without its files, which the new table uses.
            self._source.dropTable(self._identifier(table), False)

    def _left(self) -> list[str]:
        """Return the tables that a killed run has already created in the new catalog."""
        for catalog in (self._old, "lake"):
            self._spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {catalog}.off")
        for table in self._tables:
            self._register(self._old, table)
        return [table for table in self._tables if self._was_left(table)]

    def _was_left(self, table: str) -> bool:
        """Whether a table is complete, and nothing has changed it since."""
        if not self._spark.catalog.tableExists(table):
            return False
        if self._by == "register":
            return _metadata(iceberg_table(self._spark, table)) == _metadata(self._load(table))
        first = self._tables[0]
        is_unfinished = (
            self._spark.catalog.tableExists(first)
            and _UNFINISHED in iceberg_table(self._spark, first).properties()
        )
        return is_unfinished and self._digest(self._old, table) == self._digest("lake", table)

    def _make_room(self, table: str) -> None:
        """Drop an empty table of the target, which a Thrift server may have created."""
        if not self._spark.catalog.tableExists(table):
            return
        rows = self._spark.table(table).count()
        if rows > 0:
            raise MigrationRefusedError(f"the new catalog already has a table `{table}` with {rows} rows")
        self._drop(table)

    def _drop(self, table: str) -> None:
        # A table with the same warehouse may use files of the old one.
        purge = " PURGE" if self._by == "copy" else ""
        self._spark.sql(f"DROP TABLE IF EXISTS {table}{purge}")

    def _move(
        self, table: str, left: list[str], created: list[str], report: Callable[[str, str], None]
    ) -> Moved:
        if table not in left:
            report(self._by, table)
            self._create(table, created)
        report("compare", table)
        return self._compare(table)

    def _create(self, table: str, created: list[str]) -> None:
        if self._by == "register":
            self._register("lake", table)
            created.append(table)
        else:
            created.append(table)
            self._copy(table)

    def _compare(self, table: str) -> Moved:
        before, after = self._digest(self._old, table), self._digest("lake", table)
        if before != after:
            raise MigrationFailedError(f"the rows of `{table}` are {after}, not {before}")
        return Moved(table, self._by, *after)

    def _digest(self, catalog: str, table: str) -> Digest:
        return digest(self._spark.table(f"{catalog}.{_name(table)}"))

    def _load(self, table: str) -> Any:  # noqa: ANN401 - Iceberg's table
        """Return a table of the old catalog."""
        return self._source.loadTable(self._identifier(table))

    def _register(self, catalog: str, table: str) -> None:
        """Add the files that describe the current old table to a catalog."""
        quoted = _metadata(self._load(table)).replace("\\", "\\\\").replace("'", "\\'")
        self._spark.sql(
            f"CALL {catalog}.system.register_table(table => '{_name(table)}', metadata_file => '{quoted}')"
        )

    def _copy(self, table: str) -> None:
        """Create the table with all rows, the properties and the offsets of the old one in one commit."""
        old, rows = self._load(table), self._spark.table(f"{self._old}.{_name(table)}")
        writer = rows.orderBy(*_order(rows)).writeTo(table).using("iceberg")
        version = self._java.org.apache.iceberg.TableUtil.formatVersion(old)
        mark = {_UNFINISHED: "true"} if table == self._tables[0] else {}
        for key, value in {**old.properties(), **mark, "format-version": str(version)}.items():
            writer.tableProperty(key, value)
        for key, value in recorded(old).items():
            writer.option(f"snapshot-property.{key}", value)
        writer.create()

    def _identifier(self, table: str) -> Any:  # noqa: ANN401 - Iceberg's name of a table
        return self._java.org.apache.iceberg.catalog.TableIdentifier.parse(_name(table))


def _name(table: str) -> str:
    """Return the name of a table in its catalog."""
    return table.removeprefix("lake.")


def _metadata(table: Any) -> str:  # noqa: ANN401 - Iceberg's table
    """Return the address of the file that describes the current table."""
    place: str = table.operations().current().metadataFileLocation()
    return place


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
