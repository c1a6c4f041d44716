"""The job that `offstream submit` submits: it reads the topic and writes the tables.

This module has the edges: arguments, Kafka, the stop file. messages.py reads messages, lake.py writes the
tables, upkeep.py maintains them, progress.py reports, checkpoint.py knows the offsets. The catalog `lake` is
configured from outside, by `spark.sql.catalog.lake.*`.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from checkpoint import Checkpoint, Owner
from holdings import holdings, refuse_newer_tables, sole_writer
from lake import Tables, ensure_tables
from optimize import OptimizeRequests
from products import ONE_OF, PRODUCT
from program import StreamError, run
from progress import Progress
from topic import Topic, Watch, client_settings, connected, refuse_loss
from upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

_POLL_SECONDS = 0.1
_HEARTBEAT_SECONDS = 1.0
_WARM_UPS = 6
_WARM_UPS_BEFORE_READY = 2
"""The others run while the job waits for messages. A batch waits for one of them at most."""
_WARM_UP_ROWS = 200
_MAX_RECORDS_PER_TASK = 50_000
_MAX_FETCH_BYTES = 8 * 1024 * 1024

# The driver keeps the plan of each query and the metrics of each batch for its web page. At a batch a second
# that would be thousands an hour.
_SETTINGS = {
    "spark.sql.ui.retainedExecutions": "50",
    "spark.ui.retainedJobs": "200",
    "spark.ui.retainedStages": "200",
    "spark.sql.streaming.numRecentProgressUpdates": "50",
    # How often an idle query looks for new messages. The default of 10 ms costs much CPU.
    "spark.sql.streaming.pollingDelay": "100ms",
}


def main() -> None:
    """Run until the stop file appears or the query fails."""
    args = _arguments()
    spark = SparkSession.builder.config(map={**_SETTINGS}).getOrCreate()
    progress = Progress(args.progress)
    progress.report("starting")
    try:
        with sole_writer(spark):
            stream(spark, args, progress)
        progress.report("stopped")
    except Exception as error:
        progress.fail(error)
        raise
    finally:
        spark.stop()


def stream(spark: SparkSession, args: argparse.Namespace, progress: Progress) -> None:
    """Write the messages of the topic to the tables until the stop file appears."""
    checkpoint = Checkpoint(spark, args.checkpoint)
    checkpoint.verify(args.topic)
    progress.resume(checkpoint.committed())
    ensure_tables(spark)
    refuse_newer_tables(spark)
    tables = Tables(spark, args.max_indexed_rows)
    # The executor is still starting, and the driver does not wait for it.
    client = client_settings(args.kafka_client)
    connection = connected(spark, args.brokers, args.topic, client)
    with connection as topic, ThreadPoolExecutor(max_workers=1) as background:
        is_warm = background.submit(warm_up, spark, tables, range(_WARM_UPS_BEFORE_READY))
        watch = begin_watch(topic, checkpoint, spark, progress)
        checkpoint.delete_uncommitted()
        tables.open()
        batches = Batches(tables, args.stop_file, checkpoint, watch)
        messages = kafka_messages(spark, args.brokers, args.topic, args.max_offsets_per_trigger, client)
        query = start(messages, batches, args.checkpoint, args.trigger_ms)
        is_warm.result()
        background.submit(warm_up, spark, tables, range(_WARM_UPS_BEFORE_READY, _WARM_UPS))
        requests = OptimizeRequests(spark, args.optimize_file, tables.alone, progress)
        try:
            with Upkeep(tables, progress.report_upkeep):
                supervise(query, batches, args.stop_file, progress, requests.follow)
        finally:
            requests.finish()


def begin_watch(topic: Topic, checkpoint: Checkpoint, spark: SparkSession, progress: Progress) -> Watch:
    """Throw unless checkpoint, table and topic belong together and no unread message is lost."""
    table, state = holdings(spark), topic.describe()
    checkpoint.refuse_other_table(table.table_id)
    progress.report_accepted_losses(table.accepted_losses)
    held = checkpoint.committed()
    if held:
        owner = checkpoint.owner()
        refuse_loss(state, owner and owner.topic_id, held[state.name])
    elif table.topic_id == state.topic_id:
        # The checkpoint was deleted. The topic must have every message that the table lacks.
        refuse_loss(state, state.topic_id, table.offsets.get(state.name))
    checkpoint.own(Owner(state.topic_id, table.table_id))
    return Watch(topic, state.topic_id, held)


class StopRequestedError(Exception):
    """A batch was about to start after a stop was requested; it runs after the next start of the job."""


class Batches:
    """The function that `foreachBatch` calls with each batch."""

    def __init__(
        self,
        tables: Tables,
        stop_file: Path,
        checkpoint: Checkpoint | None = None,
        watch: Watch | None = None,
    ) -> None:
        """No batch starts once `stop_file` exists. The checkpoint is that of the query."""
        self._tables = tables
        self._stop_file = stop_file
        self._checkpoint = checkpoint
        self._watch = watch
        self.error: Exception | None = None
        """Why no other batch starts: the error of a batch, which Spark's own error hides, or a loss."""

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
        if self.error is not None:
            raise self.error
        properties = {} if self._checkpoint is None else self._checkpoint.properties(batch_id)
        self._tables.write(batch, properties, lambda: self._check_read(batch_id))

    def _check_read(self, batch_id: int) -> None:
        """Throw DataLossError if messages were lost before the batch read them."""
        if self._watch is not None and self._checkpoint is not None:
            self._watch.read(self._checkpoint.planned(batch_id))

    def check(self) -> None:
        """Check the topic between two batches: after a deletion or a denial there may be no next batch."""
        try:
            if self._watch is not None:
                self._watch.check()
        except StreamError as error:
            self.error = error


def kafka_messages(
    spark: SparkSession, brokers: str, topic: str, max_offsets: int, client: dict[str, str] | None = None
) -> DataFrame:
    """Stream the messages of the topic with their headers, at most `max_offsets` in a batch."""
    return (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .options(**{f"kafka.{key}": value for key, value in (client or {}).items()})
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", max_offsets)
        # The topic is compacted, so gaps are normal. Kafka's source would take each for a loss.
        .option("failOnDataLoss", "false")
        # A larger batch has several tasks, although the topic has one partition.
        .option("maxRecordsPerPartition", _MAX_RECORDS_PER_TASK)
        # With the default of 1 MiB a task waits for the broker in a fifth of its time.
        .option("kafka.max.partition.fetch.bytes", _MAX_FETCH_BYTES)
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


def supervise(
    query: StreamingQuery,
    batches: Batches,
    stop_file: Path,
    progress: Progress,
    heartbeat: Callable[[], None] = lambda: None,
) -> None:
    """Report progress until the query ends; stop it between two batches on request or if messages are lost.

    `query.stop()` during a batch interrupts the MERGE and has caused a StackOverflowError. So this calls it
    only while no trigger is active; `Batches` rejects a batch that starts at the same moment. Throws the
    error of a query that failed.
    """
    reported_at = -_HEARTBEAT_SECONDS
    while query.isActive:
        is_idle = not query.status["isTriggerActive"]
        if is_idle and (stop_file.exists() or batches.error is not None):
            break
        if time.monotonic() - reported_at >= _HEARTBEAT_SECONDS:
            progress.follow(query)
            batches.check()
            heartbeat()
            reported_at = time.monotonic()
        elif progress.is_starting:
            progress.follow(query)
        time.sleep(_POLL_SECONDS)
    progress.follow(query)
    if query.isActive:
        progress.report("stopping")
        query.stop()
    error = batches.error or query.exception()
    if error is not None and not isinstance(error, StopRequestedError):
        raise error


def warm_up(spark: SparkSession, tables: Tables, numbers: Iterable[int] = range(_WARM_UPS)) -> None:
    """Write batches to a temporary table: a cold first batch takes 15 to 20 s, and the next ones seconds."""
    for number in numbers:
        tables.warm_up(_sample_messages(spark, number))


def _sample_messages(spark: SparkSession, batch: int) -> DataFrame:
    """Return one message of each of some codes, newer than those of the batches before."""
    values: dict[str, object] = {"string": "text", "timestamp": "2026-01-01T00:00:00.000Z"}
    record = {
        field.name: next(iter(ONE_OF.get(field.name, ())), values.get(field.dataType.simpleString(), 1))
        for field in PRODUCT
    }
    before, after = json.dumps({**record, "code": "#"}).split("#")
    code = (F.col("id") + 10_000_000).cast("string")
    return spark.range(0, _WARM_UP_ROWS, 1, 1).select(
        code.cast("binary").alias("key"),
        F.concat(F.lit(before), code, F.lit(after)).cast("binary").alias("value"),
        F.lit("").alias("topic"),
        F.lit(0).alias("partition"),
        (F.col("id") + batch * _WARM_UP_ROWS).alias("offset"),
        F.current_timestamp().alias("timestamp"),
        F.lit(None).cast("array<struct<key: string, value: binary>>").alias("headers"),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--brokers", required=True, help="host:port[,host:port…] of Kafka")
    add("--topic", required=True, help="name of the topic")
    add("--kafka-client", type=Path, help="file of properties for TLS and SASL of Kafka's client")
    add("--checkpoint", required=True, help="folder or URI of Spark's checkpoint")
    add("--progress", required=True, type=Path, help="file to which the job writes its state and offsets")
    add("--stop-file", required=True, type=Path, help="the job stops when this file exists")
    add("--optimize-file", required=True, type=Path, help="the job rewrites its tables if this file appears")
    add(
        "--trigger-ms",
        type=int,
        default=0,
        help="minimum time between the starts of two batches, milliseconds",
    )
    add("--max-indexed-rows", type=int, default=5_000_000, help="maximum number of rows for an index")
    add("--max-offsets-per-trigger", type=int, default=300_000, help="maximum number of messages in a batch")
    return parser.parse_args()


if __name__ == "__main__":
    run("products-stream", main)
