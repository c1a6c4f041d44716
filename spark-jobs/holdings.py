"""What the table itself records: the messages that it contains, the accepted losses, and its writer."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from lake import COLUMNS, PRODUCTS
from offstream_jobs.iceberg import Contents, column_names, contents, iceberg_table
from offstream_jobs.program import StreamError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

ACCEPTED_LOSSES = "offstream.accepted-losses"
"""A property of the table: a JSON array of `{"at", "reason"}`. `submit --accept-data-loss` adds to it."""


class Holdings(NamedTuple):
    """The state of the table."""

    contents: Contents
    accepted_losses: list[dict[str, str]]


class TableInUseError(StreamError):
    """Another stream writes the tables."""

    code = "TABLE_IN_USE"


def holdings(spark: SparkSession) -> Holdings:
    """Read the state of the table of products."""
    table = iceberg_table(spark, PRODUCTS)
    losses = table.properties().get(ACCEPTED_LOSSES)
    return Holdings(contents(table), [] if losses is None else json.loads(losses))


class TableNewerError(StreamError):
    """A newer version of offstream has added columns to the table."""

    code = "TABLE_NEWER"


def refuse_newer_tables(spark: SparkSession) -> None:
    """Throw TableNewerError if a table has columns that this version does not know.

    An update would change only the known columns of a row and leave the others as they were: the row would be
    a mixture of two messages.
    """
    for table, columns in COLUMNS.items():
        unknown = [name for name in column_names(iceberg_table(spark, table)) if name not in columns.names]
        if unknown:
            names = ", ".join(f"`{name}`" for name in unknown)
            raise TableNewerError(f"the table `{table}` has columns that this version does not know: {names}")


@contextmanager
def sole_writer(spark: SparkSession) -> Iterator[None]:
    """Lock the warehouse, so that no other stream of this machine writes its tables; throw TableInUseError.

    Two writers would add the same product twice. The system unlocks the file when the Java process that
    commits exits, however it exits. A warehouse that is not a local folder is not locked.
    """
    warehouse = spark.conf.get("spark.sql.catalog.lake.warehouse") or ""
    if not warehouse.startswith("file:"):
        yield
        return
    java: Any = spark._jvm
    path = "/" + warehouse.removeprefix("file:").lstrip("/") + "/stream.lock"
    file = java.java.io.RandomAccessFile(path, "rw")
    try:
        lock = file.getChannel().tryLock()
        if lock is None:
            raise TableInUseError(
                f"another stream (pid {file.readLine()}) writes the tables in `{warehouse}`"
            )
        file.setLength(0)
        file.writeBytes(f"{os.getpid()}\n")
        yield
    finally:
        file.close()
