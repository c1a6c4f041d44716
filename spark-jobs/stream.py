"""The job that `offstream submit` submits: it reads the topic and writes the tables.

This module has the edges: arguments, Kafka, the stop file. messages.py reads messages, lake.py writes the
tables, upkeep.py maintains them, progress.py reports, checkpoint.py knows the offsets. The catalog `lake` is
configured from outside, by `spark.sql.catalog.lake.*`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from checkpoint import Checkpoint
from lake import ensure_tables, merge_products, merge_rejected, set_snapshot_properties
from messages import accepted, read_messages, rejected
from program import one_line, run
from progress import Progress
from upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

_POLL_SECONDS = 0.1
_HEARTBEAT_SECONDS = 1.0

# The driver keeps the plan of each query and the metrics of each batch for its web page. At a batch a second
# that would be thousands an hour.
_SETTINGS = {
    "spark.sql.ui.retainedExecutions": "50",
    "spark.ui.retainedJobs": "200",
    "spark.ui.retainedStages": "200",
    "spark.sql.streaming.numRecentProgressUpdates": "20",
}


def main() -> None:
    """Run until the stop file appears or the query fails."""
    args = _arguments()
    spark = SparkSession.builder.config(map={**_SETTINGS}).getOrCreate()
    checkpoint = Checkpoint(spark, args.checkpoint)
    progress = Progress(args.progress, checkpoint.committed())
    progress.report("starting")
    try:
        ensure_tables(spark)
        warm_up(spark)
        checkpoint.delete_uncommitted()
        messages = kafka_messages(spark, args.brokers, args.topic, args.max_offsets_per_trigger)
        batches = Batches(args.stop_file, checkpoint.properties, Upkeep(progress.report_upkeep))
        query = start(messages, batches, args.checkpoint, args.trigger_ms)
        supervise(query, batches, args.stop_file, progress)
        progress.report("stopped")
    except Exception as error:
        progress.report("failed", one_line(error))
        raise
    finally:
        spark.stop()


class StopRequestedError(Exception):
    """A batch was about to start after a stop was requested; it runs after the next start of the job."""


class Batches:
    """The function that `foreachBatch` calls with each batch."""

    def __init__(
        self,
        stop_file: Path,
        properties: Callable[[int], dict[str, str]] = lambda _: {},
        upkeep: Upkeep | None = None,
    ) -> None:
        """No batch starts once `stop_file` exists. `properties` returns those of a batch's snapshots."""
        self._stop_file = stop_file
        self._properties = properties
        self._upkeep = upkeep or Upkeep()
        self.error: Exception | None = None
        """The error of the batch that stopped the query; Spark's own error hides it in two stacks."""

    def __call__(self, batch: DataFrame, batch_id: int) -> None:
        """Write the batch. If this throws, the query ends, and the batch runs again at the next start."""
        try:
            self._write(batch, batch_id)
        except Exception as error:
            self.error = error
            raise

    def _write(self, batch: DataFrame, batch_id: int) -> None:
        if self._stop_file.exists():
            raise StopRequestedError
        write_batch(batch, self._properties(batch_id))
        self._upkeep.after_batch(batch.sparkSession, batch_id)


def write_batch(batch: DataFrame, properties: dict[str, str]) -> None:
    """Write a batch of Kafka messages to the tables. Writing it again changes nothing.

    The snapshots get `properties`. The products are written last, so that a snapshot of them proves that the
    whole batch is in the tables.
    """
    set_snapshot_properties(batch.sparkSession, properties)
    # Every action reads Kafka again unless the batch is persisted, and MERGE reads its source twice.
    read = read_messages(batch).persist()
    try:
        wrong = rejected(read)
        if not wrong.isEmpty():
            merge_rejected(wrong)
        merge_products(accepted(read))
    finally:
        read.unpersist()


def kafka_messages(spark: SparkSession, brokers: str, topic: str, max_offsets: int) -> DataFrame:
    """Stream the messages of the topic with their headers, at most `max_offsets` in a batch."""
    return (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", max_offsets)
        # The topic is compacted, so gaps are normal. Kafka's source would take each for a loss.
        .option("failOnDataLoss", "false")
        .load()
    )


def start(messages: DataFrame, batches: Batches, checkpoint: str, trigger_ms: int) -> StreamingQuery:
    """Start the query at the offsets of the checkpoint, with a trigger each `trigger_ms`."""
    return (
        messages.writeStream.queryName("products-stream")
        .option("checkpointLocation", checkpoint)
        .trigger(processingTime=f"{trigger_ms} milliseconds")
        .foreachBatch(batches)
        .start()
    )


def supervise(query: StreamingQuery, batches: Batches, stop_file: Path, progress: Progress) -> None:
    """Report progress until the query ends; stop it between two batches if the stop file appears.

    `query.stop()` during a batch interrupts the MERGE and has caused a StackOverflowError. So this calls it
    only while no trigger is active; `Batches` rejects a batch that starts at the same moment. Throws the
    error of a query that failed.
    """
    reported_at = -_HEARTBEAT_SECONDS
    while query.isActive and not (stop_file.exists() and not query.status["isTriggerActive"]):
        if time.monotonic() - reported_at >= _HEARTBEAT_SECONDS:
            progress.follow(query)
            reported_at = time.monotonic()
        time.sleep(_POLL_SECONDS)
    progress.follow(query)
    if query.isActive:
        progress.report("stopping")
        query.stop()
    error = batches.error or query.exception()
    if error is not None and not isinstance(error, StopRequestedError):
        raise error


def warm_up(spark: SparkSession) -> None:
    """Write an empty batch, which loads classes and compiles plans: a cold first batch takes 15 to 20 s."""
    empty = (
        # A range, since Spark would optimise a literal empty table away and compile nothing.
        spark.range(1)
        .where("id < 0")
        .selectExpr(
            "cast(cast(id AS string) AS binary) AS key",
            "cast(cast(id AS string) AS binary) AS value",
            "'' AS topic",
            "cast(id AS int) AS partition",
            "id AS offset",
            "current_timestamp() AS timestamp",
            "cast(NULL AS array<struct<key: string, value: binary>>) AS headers",
        )
    )
    write_batch(empty, {})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--brokers", required=True, help="host:port[,host:port…] of Kafka")
    add("--topic", required=True, help="name of the topic")
    add("--checkpoint", required=True, help="folder or URI of Spark's checkpoint")
    add("--progress", required=True, type=Path, help="file to which the job writes its state and offsets")
    add("--stop-file", required=True, type=Path, help="the job stops when this file exists")
    add("--trigger-ms", type=int, default=2_000, help="time between two triggers, milliseconds")
    add("--max-offsets-per-trigger", type=int, default=100_000, help="maximum number of messages in a batch")
    return parser.parse_args()


if __name__ == "__main__":
    run("products-stream", main)
