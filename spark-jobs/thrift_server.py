"""The Thrift server that Tableau and SQL clients connect to.

A session catalog in memory that holds nothing but the views of `config/views.sql`, made at each start, over
the Iceberg catalog `lake` that it shares with the stream. There is no Hive metastore: its Derby lets one
process in, and takes 36 s to start where this takes 13.
Address and port come by `spark.hadoop.hive.server2.thrift.bind.host` and `.port`.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from lake import ensure_tables
from program import in_short, run

_LOOK_SECONDS = 0.2

# The first query of a fresh server takes 7 to 11 s, later ones 0.2 to 0.6: these are the kinds that
# Tableau, `offstream status` and `offstream query` ask.
_WARM_UP = (
    "SELECT count(*), unix_millis(max(observed_at)) FROM Products",
    "SELECT * FROM Products LIMIT 1",
    "SELECT nova_group, count(*) FROM Products GROUP BY nova_group ORDER BY 1",
    "SELECT count(*) FROM products_rejected",
)


# What a script of SQL is made of, as far as its semicolons go.
_PART = re.compile(
    r"""(?P<comment> --[^\n]* | /\*.*?\*/ )
    |   (?P<quoted>  '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `[^`]*` )
    |   (?P<end>     ; )
    |   (?P<plain>   [^-/'"`;]+ | . )""",
    re.DOTALL | re.VERBOSE,
)


class ViewError(Exception):
    """A statement of the views' script that Spark refuses: which, and why."""


def main() -> None:
    """Serve until a signal ends it; fail where Spark ends by itself."""
    args = _arguments()
    spark = SparkSession.builder.getOrCreate()
    try:
        ensure_tables(spark)
        make_views(spark, args.views)
        for question in _WARM_UP:
            spark.sql(question).collect()
        jvm: Any = spark._jvm
        server = jvm.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2
        server.startWithContext(spark._jsparkSession.sqlContext())
        context = spark.sparkContext._jsc.sc()
        # A question to the JVM: where that has died it throws, so this process does not outlive it.
        while not context.isStopped():
            time.sleep(_LOOK_SECONDS)
        raise RuntimeError("Spark ended by itself")
    finally:
        spark.stop()


def make_views(spark: SparkSession, script: Path) -> None:
    """Run the statements of a script of SQL; what fails is thrown with its place in the script."""
    for number, statement in enumerate(statements(script.read_text(encoding="utf-8")), start=1):
        try:
            spark.sql(statement)
        except PySparkException as error:
            raise ViewError(f"{script}, statement {number}: {in_short(error)}") from error


def statements(script: str) -> list[str]:
    """Split a script of SQL at its semicolons, but not at those in text, names or comments.

    Comments stay in their statement, as a hint for the planner is one; what holds nothing else is dropped.
    """
    found: list[str] = []
    current, is_empty = "", True
    for part in _PART.finditer(f"{script}\n;"):
        if part.lastgroup != "end":
            current += part.group()
            is_empty = is_empty and (part.lastgroup == "comment" or part.group().isspace())
            continue
        if not is_empty:
            found.append(current.strip())
        current, is_empty = "", True
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--views", required=True, type=Path, help="SQL script that makes the views")
    return parser.parse_args()


if __name__ == "__main__":
    run("thrift", main)
