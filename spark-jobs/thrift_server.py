"""The Thrift server that Tableau and SQL clients connect to.

A session catalog in memory that holds nothing but the views of `config/views.sql`, made at each start,
over the Iceberg catalog `lake` that it shares with the stream. There is no Hive metastore: its Derby
lets one process in, and takes 36 s to start where this takes 13.
Address and port come by `spark.hadoop.hive.server2.thrift.bind.host` and `.port`.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path

from pyspark.sql import SparkSession

from lake import ensure_tables

_LOOK_SECONDS = 0.2

# The first query of a fresh server takes 7 to 11 s, later ones 0.2 to 0.6: these are the kinds that
# Tableau, `offstream status` and `offstream query` ask.
_WARM_UP = (
    "SELECT count(*), unix_millis(max(observed_at)) FROM Products",
    "SELECT * FROM Products LIMIT 1",
    "SELECT nova_group, count(*) FROM Products GROUP BY nova_group ORDER BY 1",
    "SELECT count(*) FROM products_rejected",
)


def main() -> None:
    """Serve until the stop file appears or the process is told to end."""
    args = _arguments()
    spark = SparkSession.builder.getOrCreate()
    try:
        ensure_tables(spark)
        for statement in statements(args.views.read_text(encoding="utf-8")):
            spark.sql(statement)
        for question in _WARM_UP:
            spark.sql(question).collect()
        server = spark._jvm.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2
        server.startWithContext(spark._jsparkSession.sqlContext())
        while not args.stop_file.exists():
            time.sleep(_LOOK_SECONDS)
    finally:
        spark.stop()


def statements(script: str) -> list[str]:
    """Split a script of SQL into its statements: at semicolons, but not those in text, names or comments."""
    token = re.compile(
        r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|;|[^-/'\"`;]+|.", re.DOTALL
    )
    found, current = [], ""
    for part in token.findall(script):
        if part == ";":
            found.append(current)
            current = ""
        elif not part.startswith(("--", "/*")):
            current += part
    return [statement.strip() for statement in [*found, current] if statement.strip()]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", required=True, type=Path, help="SQL script that makes the views")
    parser.add_argument(
        "--stop-file", required=True, type=Path, help="the server ends when this file appears"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
