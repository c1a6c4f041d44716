"""The job that `offstream submit` submits: topic in, tables out.

Edges only: arguments, Kafka, the stop file. What a message means is in messages.py, what a table is in
lake.py, what the job tells of itself in progress.py, how far it came in checkpoint.py. The catalog `lake` is
configured from outside, by `spark.sql.catalog.lake.*`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from checkpoint import Checkpoint
from lake import ensure_tables, merge_products, merge_rejected
from messages import accepted, read_messages, rejected
from program import in_short, run
from progress import Progress
from upkeep import Upkeep

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

_LOOK_SECONDS = 0.1
_HEARTBEAT_SECONDS = 1.0

# The driver keeps the plan of each query and the figures of each batch for its web page; a batch a second
# makes thousands an hour.
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
    progress.tell("starting")
    try:
        ensure_tables(spark)
        warm_up(spark)
        checkpoint.forget_planned()
        messages = kafka_messages(spark, args.brokers, args.topic, args.max_offsets_per_trigger)
        batches = Batches(args.stop_file, Upkeep(progress.report_upkeep))
        query = start(messages, batches, args.checkpoint, args.trigger_ms)
        attend(query, batches, args.stop_file, progress)
        progress.tell("stopped")
    except Exception as error:
        progress.tell("failed", in_short(error))
        raise
    finally:
        spark.stop()


class StopAskedError(Exception):
    """A batch was about to begin when the stop file was there; it is done at the next start."""


class Batches:
    """What is done with each batch, by `foreachBatch`."""

    def __init__(self, stop_file: Path, upkeep: Upkeep | None = None) -> None:
        """No batch starts once `stop_file` exists."""
        self._stop_file = stop_file
        self._upkeep = upkeep or Upkeep()
        self.error: Exception | None = None
        """What ended the query, if a batch did: Spark's own error buries it in a stack of both languages."""

    def __call__(self, batch: DataFrame, batch_id: int) -> None:
        """Write the batch, or throw: the query then ends and the batch comes again at the next start."""
        try:
            self._do(batch, batch_id)
        except Exception as error:
            self.error = error
            raise

    def _do(self, batch: DataFrame, batch_id: int) -> None:
        if self._stop_file.exists():
            raise StopAskedError
        write_batch(batch)
        self._upkeep.after_batch(batch.sparkSession, batch_id)


def write_batch(batch: DataFrame) -> None:
    """Put one batch of Kafka messages into the tables; doing it again changes nothing."""
    # Every action reads Kafka again unless the batch is kept, and the MERGE reads its source twice.
    read = read_messages(batch).persist()
    try:
        merge_products(accepted(read))
        wrong = rejected(read)
        if not wrong.isEmpty():
            merge_rejected(wrong)
    finally:
        read.unpersist()


def kafka_messages(spark: SparkSession, brokers: str, topic: str, most: int) -> DataFrame:
    """Stream the topic's messages with their headers, from its beginning, at most `most` in a batch."""
    return (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", most)
        # The topic is compacted: gaps are normal, and "loss" in Kafka's sense is what compaction does.
        .option("failOnDataLoss", "false")
        .load()
    )


def start(messages: DataFrame, batches: Batches, checkpoint: str, trigger_ms: int) -> StreamingQuery:
    """Start the query: from where the checkpoint is, a batch each `trigger_ms` at most."""
    return (
        messages.writeStream.queryName("products-stream")
        .option("checkpointLocation", checkpoint)
        .trigger(processingTime=f"{trigger_ms} milliseconds")
        .foreachBatch(batches)
        .start()
    )


def attend(query: StreamingQuery, batches: Batches, stop_file: Path, progress: Progress) -> None:
    """Tell the progress until the query ends, or end it between two batches when the stop file appears.

    `query.stop()` in the middle of a batch interrupts the MERGE and ended in a StackOverflowError, so it is
    called only when no trigger is active; a batch that begins at that very moment refuses by itself.
    Throws what the query failed of.
    """
    told = -_HEARTBEAT_SECONDS
    while query.isActive and not (stop_file.exists() and not query.status["isTriggerActive"]):
        if time.monotonic() - told >= _HEARTBEAT_SECONDS:
            progress.follow(query)
            told = time.monotonic()
        time.sleep(_LOOK_SECONDS)
    progress.follow(query)
    if query.isActive:
        progress.tell("stopping")
        query.stop()
    error = batches.error or query.exception()
    if error is not None and not isinstance(error, StopAskedError):
        raise error


def warm_up(spark: SparkSession) -> None:
    """Run a batch of nothing, so that plans and classes are there: a cold first batch takes 15 to 20 s."""
    nothing = (
        # A range, since a literal empty table would be optimised away and nothing would get warm.
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
    write_batch(nothing)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--brokers", required=True, help="host:port[,host:port…] of Kafka")
    add("--topic", required=True, help="name of the topic")
    add("--checkpoint", required=True, help="folder or URI where Spark keeps how far it has read")
    add("--progress", required=True, type=Path, help="file in which the job tells how it is")
    add("--stop-file", required=True, type=Path, help="the job ends when this file appears")
    add("--trigger-ms", type=int, default=2_000, help="least time between two looks into the topic")
    add("--max-offsets-per-trigger", type=int, default=100_000, help="most messages in a batch")
    return parser.parse_args()


if __name__ == "__main__":
    run("products-stream", main)
