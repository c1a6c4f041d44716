"""The job that `offstream submit` submits: it reads the topic and writes the tables.

This module has the edges: arguments, Kafka, the stop file. messages.py reads messages, lake.py writes and
maintains the tables. The package offstream_jobs has what other jobs use too: batches, checkpoint, progress.
The catalog `lake` is configured from outside, by `spark.sql.catalog.lake.*`.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from exchange import Exchange, exchanged
from executors import executors
from holdings import holdings, refuse_newer_tables
from lake import PRODUCTS, Tables, ensure_tables
from offstream_jobs.batches import Batches, kafka_messages, session, start, supervise
from offstream_jobs.checkpoint import Checkpoint
from offstream_jobs.iceberg import iceberg_table
from offstream_jobs.program import run
from offstream_jobs.progress import Progress
from offstream_jobs.topic import Topic, Watch, client_settings, connected, watched
from offstream_jobs.upkeep import Upkeep
from optimize import OptimizeRequests
from products import ONE_OF, PRODUCT
from writer import catalog_settings, claim, is_rest, sole_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from pyspark.sql import DataFrame, SparkSession

_WARM_UPS = 6
_WARM_UPS_BEFORE_READY = 2
"""The others run while the job waits for messages. A batch waits for one of them at most."""
_WARM_UP_ROWS = 200


def main() -> None:
    """Run until the stop file appears or the query fails."""
    args = _arguments()
    spark = session()
    progress = Progress(args.progress)
    try:
        with _files_exchanged(spark, args, progress):
            _stream_and_report(spark, args, progress)
    finally:
        spark.stop()


def _files_exchanged(
    spark: SparkSession, args: argparse.Namespace, progress: Progress
) -> AbstractContextManager[None]:
    """Exchange files with the machine that supervises the job, if it is another one."""
    if args.exchange is None:
        return nullcontext()
    return exchanged(Exchange(spark, args.exchange), progress.files, (args.stop_file, args.optimize_file))


def _stream_and_report(spark: SparkSession, args: argparse.Namespace, progress: Progress) -> None:
    progress.report("starting")
    try:
        with sole_writer(spark) as check_lock:
            stream(spark, args, progress, check_lock)
        progress.report("stopped")
    except Exception as error:
        progress.fail(error)
        raise


def stream(
    spark: SparkSession, args: argparse.Namespace, progress: Progress, check_lock: Callable[[], None]
) -> None:
    """Write the messages of the topic to the tables until the stop file appears."""
    checkpoint = Checkpoint(spark, args.checkpoint)
    if args.new_checkpoint:
        checkpoint.adopt(args.new_checkpoint)
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
        # Only now: a stream that cannot start must not stop another one.
        if is_rest(catalog_settings(spark)):
            check_lock = claim(iceberg_table(spark, PRODUCTS), check_lock)
        tables.open()
        batches = Batches(tables, args.stop_file, checkpoint, watch, check_lock)
        messages = kafka_messages(spark, args.brokers, args.topic, args.max_offsets_per_trigger, client)
        query = start(messages, batches, args.checkpoint, args.trigger_ms, "products-stream")
        is_warm.result()
        background.submit(warm_up, spark, tables, range(_WARM_UPS_BEFORE_READY, _WARM_UPS))
        requests = OptimizeRequests(spark, args.optimize_file, tables.alone, progress)

        def heartbeat() -> None:
            requests.follow()
            progress.report_executors(executors(spark))

        try:
            with Upkeep(tables.upkeep_steps(), progress.report_upkeep):
                supervise(query, batches, args.stop_file, progress, heartbeat)
        finally:
            requests.finish()


def begin_watch(topic: Topic, checkpoint: Checkpoint, spark: SparkSession, progress: Progress) -> Watch:
    """Throw unless checkpoint, table and topic belong together and no unread message is lost."""
    table = holdings(spark)
    progress.report_accepted_losses(table.accepted_losses)
    return watched(topic, checkpoint, table.contents)


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
    add("--new-checkpoint", type=Path, help="local folder that replaces the checkpoint, if it exists")
    add("--progress", required=True, type=Path, help="file to which the job writes its state and offsets")
    add("--stop-file", required=True, type=Path, help="the job stops when this file exists")
    add("--optimize-file", required=True, type=Path, help="the job rewrites its tables if this file appears")
    add("--exchange", help="URI of a folder for these three files, if another machine supervises the job")
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
