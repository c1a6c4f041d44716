"""The job that `offstream submit` submits: topic in, tables out.

Edges only: arguments, Kafka, the checkpoint, the progress file, the stop file. What a message means is
in products.py, what a table is in lake.py. The catalog `lake` is configured from outside, by
`spark.sql.catalog.lake.*`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from lake import PRODUCTS, ensure_tables, merge_products, merge_rejected, tidy
from products import accepted, newest, read_messages, rejected

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming import StreamingQuery

_LOOK_SECONDS = 0.1
_HEARTBEAT_SECONDS = 1.0
_TIDY_EVERY_BATCHES = 50


class Stopping(Exception):
    """Raised at the start of a batch that shall not begin any more; the batch is done at the next start."""


class Progress:
    """What the job tells of itself, in a file that is replaced as a whole so that no reader meets half of it."""

    def __init__(self, file: Path, offsets: dict[str, dict[str, int]]) -> None:
        """Start with the positions that an earlier run had reached."""
        self._file = file
        now = _now()
        self._told: dict[str, Any] = {
            "version": 1,
            "pid": os.getpid(),
            "state": "starting",
            "batchId": None,
            "offsets": offsets,
            "inputRows": 0,
            "rowsPerSecond": None,
            "triggerMs": None,
            "error": None,
            "startedAt": now,
            "updatedAt": now,
        }
        self._last_batch: int | None = None

    def tell(self, **changes: Any) -> None:
        """Write the file anew with these changes."""
        self._told.update(changes, updatedAt=_now())
        beside = self._file.with_suffix(".tmp")
        beside.write_text(json.dumps(self._told) + "\n", encoding="utf-8")
        beside.replace(self._file)

    def follow(self, query: StreamingQuery) -> None:
        """Tell what the query says of its last trigger; `running` once it has ended its first or has nothing to do."""
        changes: dict[str, Any] = {}
        last = query.lastProgress
        if last is not None and last["batchId"] != self._last_batch and last["numInputRows"] > 0:
            self._last_batch = last["batchId"]
            changes = {
                "batchId": last["batchId"],
                "offsets": json.loads(last["sources"][0]["endOffset"] or "{}"),
                "inputRows": self._told["inputRows"] + last["numInputRows"],
                "rowsPerSecond": last.get("processedRowsPerSecond"),
                "triggerMs": last["durationMs"].get("triggerExecution"),
            }
        waiting = query.status["message"].startswith("Waiting for")
        if self._told["state"] == "starting" and (last is not None or waiting):
            changes["state"] = "running"
        self.tell(**changes)


def main() -> None:
    """Run until the stop file appears or the query fails."""
    args = _arguments()
    spark = SparkSession.builder.getOrCreate()
    progress = Progress(args.progress, committed_offsets(spark, args.checkpoint))
    progress.tell()
    try:
        ensure_tables(spark)
        _warm(spark)
        query = _start(spark, args)
        _attend(query, args.stop_file, progress)
        progress.tell(state="stopped")
    except Exception as error:
        progress.tell(state="failed", error=first_line(error))
        raise
    finally:
        spark.stop()


def committed_offsets(spark: SparkSession, checkpoint: str) -> dict[str, dict[str, int]]:
    """Read how far an earlier run came: topic → partition → next offset, from the checkpoint itself.

    Through Hadoop's file system, so that a checkpoint on s3a:// or hdfs:// is read as well. The newest
    batch in `commits/` is done; `offsets/` of that batch holds a version line, metadata, then one line
    of JSON a source.
    """
    jvm = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(checkpoint)
    files = path.getFileSystem(spark._jsc.hadoopConfiguration())
    commits = jvm.org.apache.hadoop.fs.Path(path, "commits")
    if not files.exists(commits):
        return {}
    batches = [
        int(status.getPath().getName())
        for status in files.listStatus(commits)
        if status.getPath().getName().isdigit()
    ]
    if not batches:
        return {}
    stream = files.open(jvm.org.apache.hadoop.fs.Path(path, f"offsets/{max(batches)}"))
    try:
        text = jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")
    finally:
        stream.close()
    lines = [line for line in text.split("\n")[2:] if line.startswith("{")]
    return json.loads(lines[0]) if lines else {}


def write_batch(batch: DataFrame) -> None:
    """Put one batch of Kafka messages into the tables; doing it again changes nothing."""
    # Every action reads Kafka again unless the batch is kept, and the MERGE reads its source twice.
    read = read_messages(batch).persist()
    try:
        merge_products(newest(accepted(read)))
        wrong = rejected(read)
        if not wrong.isEmpty():
            merge_rejected(wrong)
    finally:
        read.unpersist()


def first_line(error: BaseException) -> str:
    """Return what went wrong, without the stack that Spark puts into its messages."""
    text = str(error.cause) if isinstance(error, StreamingQueryException) and error.cause else str(error)
    lines = [line for line in text.split("\n") if line.strip()]
    return lines[0] if lines else type(error).__name__


def _start(spark: SparkSession, args: argparse.Namespace) -> StreamingQuery:
    messages = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", args.brokers)
        .option("subscribe", args.topic)
        .option("startingOffsets", "earliest")
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", args.max_offsets_per_trigger)
        # The topic is compacted: gaps are normal, and "loss" in Kafka's sense is what compaction does.
        .option("failOnDataLoss", "false")
        .load()
    )

    def on_batch(batch: DataFrame, batch_id: int) -> None:
        if args.stop_file.exists():
            raise Stopping
        write_batch(batch)
        if batch_id % _TIDY_EVERY_BATCHES == _TIDY_EVERY_BATCHES - 1:
            tidy(spark)

    return (
        messages.writeStream.queryName("products-stream")
        .option("checkpointLocation", args.checkpoint)
        .trigger(processingTime=f"{args.trigger_ms} milliseconds")
        .foreachBatch(on_batch)
        .start()
    )


def _attend(query: StreamingQuery, stop_file: Path, progress: Progress) -> None:
    """Tell the progress until the query ends, or end it between two batches when the stop file appears.

    `query.stop()` in the middle of a foreachBatch interrupts the MERGE and ended in a
    StackOverflowError, so it is called only when no trigger is active; a batch that begins at that
    very moment finds the stop file by itself.
    """
    told = 0.0
    while query.isActive:
        if stop_file.exists() and not query.status["isTriggerActive"]:
            progress.tell(state="stopping")
            query.stop()
            return
        if time.monotonic() - told >= _HEARTBEAT_SECONDS:
            progress.follow(query)
            told = time.monotonic()
        time.sleep(_LOOK_SECONDS)
    error = query.exception()
    if error is not None and not (stop_file.exists() and Stopping.__name__ in str(error)):
        raise error


def _warm(spark: SparkSession) -> None:
    """Run the plans once with nothing in them: the first batch of a cold job takes 15 to 20 s on two cores."""
    nothing = (
        spark.range(1)
        .where("id < 0")
        .selectExpr(
            # A range, since a literal empty table would be optimised away and nothing would get warm.
            "cast(id AS binary) AS key",
            "cast(id AS binary) AS value",
            "'' AS topic",
            "cast(id AS int) AS partition",
            "id AS offset",
            "current_timestamp() AS timestamp",
            "cast(NULL AS array<struct<key: string, value: binary>>) AS headers",
        )
    )
    write_batch(nothing)
    spark.table(PRODUCTS).count()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", required=True, help="host:port[,host:port…] of Kafka")
    parser.add_argument("--topic", required=True)
    parser.add_argument(
        "--checkpoint", required=True, help="folder or URI where Spark keeps how far it has read"
    )
    parser.add_argument("--progress", required=True, type=Path, help="file that tells how the job is")
    parser.add_argument("--stop-file", required=True, type=Path, help="the job ends when this file appears")
    parser.add_argument(
        "--trigger-ms", type=int, default=1_000, help="pause between two looks into the topic"
    )
    parser.add_argument("--max-offsets-per-trigger", type=int, default=100_000)
    return parser.parse_args()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    try:
        main()
    except Exception as failure:
        print(f"products-stream failed: {first_line(failure)}", file=sys.stderr)
        raise SystemExit(1) from failure
