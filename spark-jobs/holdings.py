"""What the table itself records: the messages that it contains, and the accepted losses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from lake import COLUMNS, PRODUCTS
from offstream_jobs.iceberg import Contents, column_names, contents, iceberg_table
from offstream_jobs.program import StreamError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ACCEPTED_LOSSES = "offstream.accepted-losses"
"""A property of the table: a JSON array of `{"at", "reason"}`. `submit --accept-data-loss` adds to it."""


class Holdings(NamedTuple):
    """The state of the table."""

    contents: Contents
    accepted_losses: list[dict[str, str]]


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
