"""A job of the user: from a topic to a table with one row per key."""

from __future__ import annotations

import json
import os
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from offstream_jobs.batches import Batches, kafka_messages, session, start, supervise
from offstream_jobs.checkpoint import Checkpoint
from offstream_jobs.iceberg import contents, iceberg_table
from offstream_jobs.program import one_line
from offstream_jobs.progress import Progress
from offstream_jobs.table import UpsertTable, create_views
from offstream_jobs.topic import client_settings, connected, watched
from offstream_jobs.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyspark.sql import DataFrame

_STOPPED = 143
"""The exit status after a stop, as after SIGTERM: 0 would mean that the job has done all its work."""


class _Source(NamedTuple):
    """The topic that the job reads."""

    brokers: str
    topic: str
    client: dict[str, str]
    trigger_ms: int


class Job:
    """A program that `offstream submit` runs. It reads one topic and writes one table."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Start the Spark session, or use the one that the program has started."""
        folder = environment.get("OFFSTREAM_CHECKPOINT")
        if folder is None:
            raise RuntimeError("start this program with `offstream submit`, which sets its environment")
        self._environment = environment
        self._checkpoint = folder
        progress = Path(environment["OFFSTREAM_PROGRESS"])
        self._stop_file = progress.with_suffix(".stop")
        self._progress = Progress(progress)
        # Before the session: a job with a session and without this file counts as ready.
        self._progress.report("starting")
        with self._failures_reported():
            self.spark = session()
        self._source: _Source | None = None

    def read_topic(
        self,
        topic: str,
        *,
        brokers: str | None = None,
        client: Path | None = None,
        max_offsets: int = 100_000,
        trigger_ms: int = 1_000,
    ) -> DataFrame:
        """Read a topic from its beginning: `key`, `value`, `partition`, `offset`, `timestamp`, `headers`.

        The brokers are those of the stack, or others, with a file of properties for TLS and SASL of Kafka's
        client. A batch has at most `max_offsets` messages, and starts at the earliest `trigger_ms` after the
        start of the one before.
        """
        settings = client_settings(client)
        if brokers is None:
            options = json.loads(self._environment["OFFSTREAM_KAFKA_OPTIONS"])
            settings = {name.removeprefix("kafka."): value for name, value in options.items()}
            brokers = settings.pop("bootstrap.servers")
        self._source = _Source(brokers, topic, settings, trigger_ms)
        return kafka_messages(self.spark, brokers, topic, max_offsets, settings)

    def upsert(
        self,
        rows: DataFrame,
        table: str,
        *,
        key: str | Sequence[str],
        order: str | Sequence[str],
        views: Path | None = None,
    ) -> NoReturn:
        """Write rows of `read_topic` to a table until the job is stopped: one row per key, the newest.

        The table, such as `lake.shop.clicks`, is created with the columns of the rows. Of two rows of a key,
        the one with the greater `order` columns is newer. End the order with `offset`, so that it is total.
        Each SQL file in the folder `views` becomes a view next to the table.
        """
        with self._failures_reported():
            target = UpsertTable(self.spark, table, _listed(key), _listed(order))
            self._run(rows, target, views)
        self._progress.report("stopped")
        self.spark.stop()
        raise SystemExit(_STOPPED)

    def _run(self, rows: DataFrame, table: UpsertTable, views: Path | None) -> None:
        source = self._source
        if source is None:
            raise ValueError("`upsert` needs rows of `read_topic`")
        checkpoint = Checkpoint(self.spark, self._checkpoint)
        checkpoint.verify(source.topic)
        self._progress.resume(checkpoint.committed())
        table.ensure(rows.schema)
        if views is not None:
            create_views(self.spark, views, table.namespace)
        with connected(self.spark, source.brokers, source.topic, source.client) as topic:
            watch = watched(topic, checkpoint, contents(iceberg_table(self.spark, table.name)))
            checkpoint.delete_uncommitted()
            batches = Batches(table, self._stop_file, checkpoint, watch)
            query = start(rows, batches, self._checkpoint, source.trigger_ms, table.name)
            with Upkeep(table.upkeep_steps(), self._progress.report_upkeep):
                supervise(query, batches, self._stop_file, self._progress)

    @contextmanager
    def _failures_reported(self) -> Iterator[None]:
        """Report an error in the progress file, and as the last line of the log."""
        try:
            yield
        except Exception as error:
            self._progress.fail(error)
            traceback.print_exc()
            raise SystemExit(f"the job failed: {one_line(error)}") from error


def _listed(names: str | Sequence[str]) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names
