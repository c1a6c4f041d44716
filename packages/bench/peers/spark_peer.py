"""The Spark peers: a stock streaming job from the topic to one of several sinks, with Spark's default settings.

- `noop`: read the topic and write nothing: the upper limit of Spark's Kafka source
- `parse`: also parse each message with `from_json`
- `parquet`: append to Parquet files, with a Thrift server in the same process: this project's first version
- `delta`: upsert into a Delta table with MERGE

Without `--live` it reads what the topic contains, prints one JSON object and exits: `seconds` from the start of the
first batch to the last commit. With `--live` it runs until SIGTERM, and prints `ready` when its query has started.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from record import COLUMNS, TOPIC

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

_SQL = {"text": "STRING", "int": "INT", "long": "BIGINT", "number": "DOUBLE", "time": "TIMESTAMP"}
DDL = ", ".join(f"{name} {_SQL[kind]}" for name, kind in COLUMNS.items())
_AGE = ("as_of", "rev", "kafka_offset")


def main() -> None:
    """Run the peer of the module's description."""
    args = _arguments()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    spark = SparkSession.builder.appName(f"peer-{args.sink}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    if args.sink == "parquet":
        _serve(spark, args.folder)
    if args.sink == "delta":
        spark.sql(
            f"CREATE TABLE IF NOT EXISTS delta.`{_table(args.folder)}` ({DDL}, kafka_offset BIGINT) USING delta"
        )
    writes = Writes(args.folder)
    query = _start(_messages(spark, args.brokers, args.start), args.sink, args.folder, writes, live=args.live)
    if args.live:
        print("ready", flush=True)
        while query.isActive and not stop.wait(0.2):
            pass
        query.stop()
        return
    query.awaitTermination()
    print(json.dumps({"seconds": writes.finished_at(query) - _first_batch_at(args.folder)}), flush=True)
    spark.stop()


class Writes:
    """The function that `foreachBatch` calls for Delta, and when it last returned."""

    def __init__(self, folder: Path) -> None:
        self._table = _table(folder)
        self._last: float | None = None

    def __call__(self, batch: DataFrame, _: int) -> None:
        """Merge the newest record of each product into the table."""
        age = F.struct(*_AGE)
        names = [*COLUMNS, "kafka_offset"]
        newest = batch.groupBy("code").agg(F.max_by(F.struct(*names), age).alias("row")).select("row.*")
        newest.createOrReplaceTempView("new")
        batch.sparkSession.sql(f"""
            MERGE INTO delta.`{self._table}` AS old USING new ON old.code = new.code
            WHEN MATCHED AND {_struct("new")} > {_struct("old")} THEN UPDATE SET *
            WHEN NOT MATCHED THEN INSERT *""")
        self._last = time.time()

    def finished_at(self, query: StreamingQuery) -> float:
        """Return when the last batch was written, in seconds since 1970."""
        if self._last is not None:
            return self._last
        # The other sinks are Spark's own; the duration of a trigger includes the commit.
        last = [each for each in query.recentProgress if each.numInputRows > 0][-1]
        return _batch_at(last.timestamp) + last.durationMs["triggerExecution"] / 1_000


def _messages(spark: SparkSession, brokers: str, start: int) -> DataFrame:
    return (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", TOPIC)
        .option("startingOffsets", json.dumps({TOPIC: {"0": start}}))
        .load()
    )


def _start(messages: DataFrame, sink: str, folder: Path, writes: Writes, *, live: bool) -> StreamingQuery:
    read = messages.select(
        F.from_json(F.col("value").cast("string"), DDL).alias("record"), F.col("offset").alias("kafka_offset")
    ).select("record.*", "kafka_offset")
    rows = messages if sink == "noop" else read
    writer = rows.writeStream.option("checkpointLocation", str(folder / "checkpoint"))
    writer = writer if live else writer.trigger(availableNow=True)
    if sink == "delta":
        return writer.foreachBatch(writes).start()
    if sink == "parquet":
        return writer.format("parquet").outputMode("append").start(str(_table(folder)))
    return writer.format("noop").start()


def _serve(spark: SparkSession, folder: Path) -> None:
    """Start a Thrift server whose table `Products` shows the Parquet files."""
    columns = f"{DDL}, kafka_offset BIGINT"
    spark.sql(f"CREATE TABLE Products ({columns}) USING parquet LOCATION '{_table(folder)}'")
    jvm = spark._jvm
    if jvm is None:
        raise RuntimeError("Spark has no JVM")
    jvm.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2.startWithContext(
        spark._jsparkSession.sqlContext()
    )


def _first_batch_at(folder: Path) -> float:
    """Return when the first batch started, in seconds since 1970: Spark writes it into the log of offsets."""
    metadata = (folder / "checkpoint" / "offsets" / "0").read_text().split("\n")[1]
    return float(json.loads(metadata)["batchTimestampMs"]) / 1_000


def _batch_at(timestamp: str) -> float:
    """Return seconds since 1970 of a time such as `2026-01-31T12:00:00.000Z`."""
    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def _struct(alias: str) -> str:
    return f"struct({', '.join(f'{alias}.{name}' for name in _AGE)})"


def _table(folder: Path) -> Path:
    return folder / "table"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("brokers")
    add("sink", choices=("noop", "parse", "parquet", "delta"))
    add("folder", type=Path)
    add("--start", type=int, default=0, help="first offset")
    add("--live", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
