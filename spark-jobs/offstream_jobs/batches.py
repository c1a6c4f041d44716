"""The streaming query of a job: its Kafka source, its batches, and how it stops."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from offstream_jobs.program import StreamError, started

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

    from offstream_jobs.checkpoint import Checkpoint
    from offstream_jobs.progress import Progress
    from offstream_jobs.topic import Watch

_POLL_SECONDS = 0.1
_HEARTBEAT_SECONDS = 1.0
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


def session() -> SparkSession:
    """Return the session of Spark, with settings for streams that run for months."""
    return started(SparkSession.builder.config(map={**_defaults()}).getOrCreate)


def _defaults() -> dict[str, str]:
    """Return those of the settings that the user has not set."""
    SparkContext._ensure_initialized()
    of_user = SparkConf()
    return {name: value for name, value in _SETTINGS.items() if not of_user.contains(name)}


class Writer(Protocol):
    """What writes the batches to tables."""

    def write(self, batch: DataFrame, properties: dict[str, str], check: Callable[[], None]) -> None:
        """Write a batch. Writing it again changes nothing.

        The snapshots get `properties`. `check` is called when the batch was read; if it throws, nothing is
        written.
        """


class StopRequestedError(Exception):
    """A batch was about to start after a stop was requested; it runs after the next start of the job."""


class LockLostError(Exception):
    """The lock of the tables is lost. A restart locks them again."""


class Batches:
    """The function that `foreachBatch` calls with each batch."""

    def __init__(
        self,
        tables: Writer,
        stop_file: Path,
        checkpoint: Checkpoint | None = None,
        watch: Watch | None = None,
        check_lock: Callable[[], None] = lambda: None,
    ) -> None:
        """No batch starts once `stop_file` exists. The checkpoint is that of the query.

        `check_lock` throws LockLostError or a StreamError if this stream may no longer write.
        """
        self._tables = tables
        self._stop_file = stop_file
        self._checkpoint = checkpoint
        self._watch = watch
        self._check_lock = check_lock
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
        """Throw DataLossError if messages were lost before the batch read them, or LockLostError."""
        self._check_lock()
        if self._watch is not None and self._checkpoint is not None:
            self._watch.read(self._checkpoint.planned(batch_id))

    def check(self) -> None:
        """Check lock and topic between two batches: after a deletion or denial there may be no next batch."""
        try:
            self._check_lock()
            if self._watch is not None:
                self._watch.check()
        except (StreamError, LockLostError) as error:
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


def start(
    messages: DataFrame, batches: Batches, checkpoint: str, trigger_ms: int, name: str
) -> StreamingQuery:
    """Start the query at the offsets of the checkpoint, with a trigger each `trigger_ms`."""
    return (
        messages.writeStream.queryName(name)
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
