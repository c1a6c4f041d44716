"""The Thrift server that Tableau and SQL clients connect to.

Its session catalog is in memory and has only the views of `config/views.sql`, which are created at each start
over the Iceberg catalog `lake`. It does not use a Hive metastore: the metastore's Derby accepts only one
process, and starts in 36 s instead of 13.
The address and the port are set by `spark.hadoop.hive.server2.thrift.bind.host` and `.port`, and whether it
requires a password and TLS by `.authentication` and `.use.SSL`.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

import java_classes
from lake import ensure_tables
from offstream_jobs.program import one_line, run
from thrift_security import forget_key_store, require_login, use_key

_POLL_SECONDS = 0.2
_SHARED_CATALOG = "offstream.SharedCatalog"

# The first query of a new server takes 7 to 11 s, later ones 0.2 to 0.6. These are like the queries of
# Tableau, `offstream status` and `offstream query`.
_WARM_UP_QUERIES = (
    "SELECT count(*), unix_millis(max(observed_at)) FROM Products",
    "SELECT * FROM Products LIMIT 1",
    "SELECT nova_group, count(*) FROM Products GROUP BY nova_group ORDER BY 1",
    "SELECT count(*) FROM products_rejected",
)

# The tokens of an SQL script that decide whether a semicolon ends a statement.
_TOKEN = re.compile(
    r"""(?P<comment> --[^\n]* | /\*.*?\*/ )
    |   (?P<quoted>  '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | `[^`]*` )
    |   (?P<end>     ; )
    |   (?P<plain>   [^-/'"`;]+ | . )""",
    re.DOTALL | re.VERBOSE,
)


class ViewError(Exception):
    """Spark rejected a statement of the script of views."""


def main() -> None:
    """Serve until a signal stops the process; fail if Spark stops."""
    args = _arguments()
    spark = SparkSession.builder.getOrCreate()
    try:
        if spark.conf.get("spark.sql.catalog.lake") == _SHARED_CATALOG:
            java_classes.write_class(spark.sparkContext, "SharedCatalog", args.classes)
        ensure_tables(spark)
        create_views(spark, args.views)
        for query in _WARM_UP_QUERIES:
            spark.sql(query).collect()
        if args.login is not None:
            require_login(spark, args.login, args.classes)
        if args.key is not None:
            use_key(spark, args.key)
        jvm: Any = spark._jvm
        server = jvm.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2
        server.startWithContext(spark._jsparkSession.sqlContext())
        forget_key_store(spark)
        context = spark.sparkContext._jsc.sc()
        # This call throws if the JVM has died, so that this process does not outlive it.
        while not context.isStopped():
            time.sleep(_POLL_SECONDS)
        raise RuntimeError("Spark stopped unexpectedly")
    finally:
        spark.stop()


def create_views(spark: SparkSession, script: Path) -> None:
    """Run the statements of an SQL script; an error names the script and the statement."""
    for number, statement in enumerate(statements(script.read_text(encoding="utf-8")), start=1):
        try:
            spark.sql(statement)
        except PySparkException as error:
            raise ViewError(f"{script}, statement {number}: {one_line(error)}") from error


def statements(script: str) -> list[str]:
    """Split an SQL script at its semicolons, except those in strings, names and comments.

    Comments stay in their statement, since a hint for the planner is a comment. Statements that have only
    comments are dropped.
    """
    found: list[str] = []
    current, is_empty = "", True
    for token in _TOKEN.finditer(f"{script}\n;"):
        if token.lastgroup != "end":
            current += token.group()
            is_empty = is_empty and (token.lastgroup == "comment" or token.group().isspace())
            continue
        if not is_empty:
            found.append(current.strip())
        current, is_empty = "", True
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--views", required=True, type=Path, help="SQL script that creates the views")
    add("--login", type=Path, help="file with the user and a hash of the password, see ThriftLogin.java")
    add(
        "--classes",
        type=Path,
        help="folder of the class path, to which the classes for logins and for a shared catalog are written",
    )
    add("--key", type=Path, help="PEM file with the private key and the certificates of the server")
    return parser.parse_args()


if __name__ == "__main__":
    run("thrift", main)
