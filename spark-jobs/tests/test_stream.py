"""The job writes every message to the tables once, whenever it stops and starts again.

A folder of files replaces the topic here: with Kafka's columns, one file a batch. With Kafka itself the built
command is tested, in `packages/e2e`.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from environment import until
from kafka import EVIAN, MESSAGES, NUTELLA, Message, as_messages, minutes, update
from lake import PRODUCTS, REJECTED, Tables, ensure_tables
from offstream_jobs import batches as streaming
from offstream_jobs.batches import Batches, start, supervise
from offstream_jobs.checkpoint import Checkpoint
from offstream_jobs.progress import Progress
from offstream_jobs.upkeep import Upkeep
from stream import warm_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery


class Job:
    """The job in its own folder, with its topic, checkpoint, stop file and progress file."""

    def __init__(self, lake: SparkSession, folder: Path) -> None:
        """Create no files and start no query."""
        self.lake = lake
        self.tables = Tables(lake)
        self.stop_file = folder / "job.stop"
        self.checkpoint = (folder / "checkpoint").as_uri()
        self._topic = folder / "topic"
        self._progress_file = folder / "job.progress.json"
        self._published = 0

    def publish(self, *messages: Message) -> None:
        """Publish messages as one batch."""
        numbered = [
            message._replace(offset=self._published + place) for place, message in enumerate(messages)
        ]
        self._published += len(messages)
        as_messages(self.lake, numbered).coalesce(1).write.mode("append").parquet(str(self._topic))

    def start(self, batches: Batches) -> StreamingQuery:
        """Start the query at the offsets of the checkpoint."""
        Checkpoint(self.lake, self.checkpoint).delete_uncommitted()
        one_by_one = self.lake.readStream.schema(MESSAGES).option("maxFilesPerTrigger", 1)
        return start(one_by_one.parquet(str(self._topic)), batches, self.checkpoint, trigger_ms=0, name="job")

    def batches(self) -> Batches:
        """Make the function that writes the batches of `start`."""
        return Batches(self.tables, self.stop_file, Checkpoint(self.lake, self.checkpoint))

    def snapshots(self, table: str = PRODUCTS) -> list[tuple[int, int]]:
        """Return the batch and the offset in the snapshots of a table, oldest first."""
        summaries = self.lake.table(f"{table}.snapshots").orderBy("committed_at").collect()
        return [
            (
                int(row.summary["offstream.batch-id"]),
                json.loads(row.summary["offstream.offsets"])["logOffset"],
            )
            for row in summaries
            if "offstream.query-id" in row.summary
        ]

    def progress(self) -> Progress:
        """Make the progress file of a new process of the job."""
        progress = Progress(self._progress_file)
        progress.resume(Checkpoint(self.lake, self.checkpoint).committed())
        return progress

    def reported(self) -> dict[str, Any]:
        """Read the progress file."""
        reported: dict[str, Any] = json.loads(self._progress_file.read_text(encoding="utf-8"))
        return reported

    def committed(self) -> dict[str, Any]:
        """Read the offsets of the checkpoint; a source of files has one."""
        return {**Checkpoint(self.lake, self.checkpoint).committed()}

    def read_all(self) -> Progress:
        """Run until all published messages are read."""
        progress = self.progress()
        query = self.start(self.batches())
        try:
            query.processAllAvailable()
            progress.follow(query)
        finally:
            query.stop()
        return progress

    def rows(self) -> list[tuple[str, str | None, int]]:
        """Return the columns by which the tests below distinguish rows."""
        rows = self.lake.table(PRODUCTS).orderBy("code").collect()
        return [(row.code, row.product_name, row.kafka_offset) for row in rows]

    def rejected(self) -> list[int]:
        """Return the offsets of the rejected messages."""
        return [row.kafka_offset for row in self.lake.table(REJECTED).orderBy("kafka_offset").collect()]


@pytest.fixture
def job(lake: SparkSession, tmp_path: Path) -> Iterator[Job]:
    job = Job(lake, tmp_path)
    yield job
    for query in lake.streams.active:
        query.stop()


def product(number: int) -> Message:
    return update(code=f"{20_000_000 + number}")


WRONG = Message(b"nutella", b"")


def test_a_setting_of_the_user_replaces_one_for_streams(spark: SparkSession) -> None:
    name = "spark.sql.streaming.pollingDelay"
    assert streaming._defaults()[name] == "100ms"
    system: Any = spark._jvm.java.lang.System  # type: ignore[union-attr]
    # As `spark-submit` passes it.
    system.setProperty(name, "1s")
    try:
        assert name not in streaming._defaults()
    finally:
        system.clearProperty(name)


def test_messages_become_rows_and_the_progress_file_counts_every_batch(job: Job) -> None:
    job.publish(update(as_of=minutes(0), product_name="Nutella"), WRONG)
    job.publish(update(code=EVIAN, product_name="Evian"))
    job.publish(update(as_of=minutes(1), product_name="Nutella 400 g"))

    job.read_all()

    assert job.rows() == [(NUTELLA, "Nutella 400 g", 3), (EVIAN, "Evian", 2)]
    assert job.rejected() == [1]
    reported = job.reported()
    assert (reported["state"], reported["batchId"], reported["inputRows"], reported["offsets"]) == (
        "running",
        2,
        4,
        {"logOffset": 2},
    )
    assert reported["rowsPerSecond"] > 0
    assert reported["triggerMs"] > 0


def test_each_snapshot_has_the_query_the_batch_and_the_offsets_after_it(job: Job) -> None:
    for number in range(3):
        job.publish(product(number), WRONG)
    job.read_all()

    assert job.snapshots() == job.snapshots(REJECTED) == [(0, 0), (1, 1), (2, 2)]
    query = json.loads((Path(job.checkpoint.removeprefix("file://")) / "metadata").read_text())["id"]
    [last] = job.lake.table(f"{PRODUCTS}.snapshots").orderBy(F.desc("committed_at")).take(1)
    assert last.summary["offstream.query-id"] == query


def test_a_job_with_nothing_to_read_runs(job: Job) -> None:
    job.publish(product(0))
    job.read_all()

    progress, query = job.progress(), job.start(Batches(job.tables, job.stop_file))
    progress.report("starting")

    def is_running() -> bool:
        progress.follow(query)
        return bool(job.reported()["state"] == "running")

    until(is_running)

    reported = job.reported()
    assert (reported["state"], reported["batchId"], reported["inputRows"], reported["offsets"]) == (
        "running",
        None,
        0,
        {"logOffset": 0},
    )


def test_a_job_stops_between_two_batches_on_request_and_continues_there(job: Job) -> None:
    for number in range(6):
        job.publish(product(number))
    batches, progress = Batches(job.tables, job.stop_file), job.progress()
    query = job.start(batches)
    supervisor = threading.Thread(target=supervise, args=(query, batches, job.stop_file, progress))
    supervisor.start()

    until(lambda: len(job.rows()) > 0)
    job.stop_file.touch()
    supervisor.join(timeout=120)

    assert not query.isActive
    first_run = job.reported()["inputRows"]
    assert 0 < first_run < 6
    assert job.committed() == {"logOffset": first_run - 1}
    assert [offset for _, _, offset in job.rows()] == list(range(first_run))

    job.stop_file.unlink()
    job.read_all()

    assert [offset for _, _, offset in job.rows()] == list(range(6))
    assert job.reported()["inputRows"] == 6 - first_run


def test_a_job_that_starts_with_a_stop_file_reads_nothing(job: Job) -> None:
    job.publish(product(0))
    job.stop_file.touch()
    batches = Batches(job.tables, job.stop_file)
    query = job.start(batches)

    supervise(query, batches, job.stop_file, job.progress())

    assert not query.isActive
    assert (job.rows(), job.committed()) == ([], {})


def test_no_snapshot_of_the_products_has_a_batch_whose_rejected_messages_are_not_written(job: Job) -> None:
    job.publish(product(0), WRONG)
    job.lake.sql(f"DROP TABLE {REJECTED}")
    batches = job.batches()

    with pytest.raises(Exception, match=r"TABLE_OR_VIEW_NOT_FOUND"):
        supervise(job.start(batches), batches, job.stop_file, job.progress())
    assert job.snapshots() == []
    ensure_tables(job.lake)
    job.read_all()

    assert ([offset for _, _, offset in job.rows()], job.rejected()) == ([0], [1])


class PowerCut(Batches):
    """The job dies after the second batch is in the tables and before Spark commits it."""

    def __call__(self, batch: DataFrame, batch_id: int) -> None:
        """Write the batch, then die."""
        super().__call__(batch, batch_id)
        if batch_id == 1:
            self.error = OSError("power cut")
            raise self.error


def test_a_job_that_dies_after_it_wrote_a_batch_loses_and_duplicates_nothing(job: Job) -> None:
    job.publish(product(0), WRONG)
    job.publish(product(1), WRONG)
    job.publish(product(2), WRONG)
    batches = PowerCut(job.tables, job.stop_file)

    with pytest.raises(OSError, match=r"^power cut$"):
        supervise(job.start(batches), batches, job.stop_file, job.progress())
    assert job.rejected() == [1, 3]
    assert job.committed() == {"logOffset": 0}
    job.read_all()

    assert [offset for _, _, offset in job.rows()] == [0, 2, 4]
    assert job.rejected() == [1, 3, 5]


def test_the_job_fails_with_the_error_of_its_batch(job: Job) -> None:
    job.publish(product(0))
    job.lake.sql(f"DROP TABLE {PRODUCTS}")
    batches = Batches(job.tables, job.stop_file)
    with pytest.raises(Exception, match=r"^\[TABLE_OR_VIEW_NOT_FOUND\]"):
        supervise(job.start(batches), batches, job.stop_file, job.progress())


def test_the_warm_up_leaves_the_tables_empty(job: Job) -> None:
    warm_up(job.lake, job.tables)
    assert (job.rows(), job.rejected()) == ([], [])


class Clock:
    """A clock that stands still until a test advances it."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


GC_ERROR = (
    "snapshot expiry of lake.off.products failed: org.apache.iceberg.exceptions.ValidationException: "
    "Cannot expire snapshots: GC is disabled (deleting files may corrupt other tables)"
)


def test_upkeep_that_fails_is_reported_and_retried_while_the_stream_continues(
    job: Job, capfd: pytest.CaptureFixture[str]
) -> None:
    error = GC_ERROR
    clock, progress = Clock(), job.progress()
    upkeep, batches = (
        Upkeep(job.tables.upkeep_steps(), progress.report_upkeep, clock),
        Batches(job.tables, job.stop_file),
    )
    numbers = iter(range(100))

    def upkeep_error_at(seconds: int) -> str | None:
        clock.now = seconds
        number = next(numbers)
        batches(as_messages(job.lake, [product(number)]), number)
        upkeep.run_due()
        progress.report("running")
        reported: str | None = job.reported()["upkeepError"]
        return reported

    def allow_expiry(*, allowed: bool) -> None:
        job.lake.sql(f"ALTER TABLE {PRODUCTS} SET TBLPROPERTIES ('gc.enabled' = '{allowed}')")

    allow_expiry(allowed=False)
    assert [upkeep_error_at(9), upkeep_error_at(10), upkeep_error_at(11)] == [None, error, error]
    log = capfd.readouterr().err
    assert f"{error}; next try in 60 s, the stream continues\n" in log

    # No retry happens before its time. The second try fails too, so the third happens two minutes later.
    allow_expiry(allowed=True)
    assert upkeep_error_at(69) == error
    allow_expiry(allowed=False)
    assert upkeep_error_at(70) == error
    assert f"{error}; next try in 120 s, the stream continues\n" in capfd.readouterr().err
    allow_expiry(allowed=True)
    assert upkeep_error_at(189) == error
    assert upkeep_error_at(190) is None
    assert [code for code, _, _ in job.rows()] == [str(20_000_000 + number) for number in range(7)]


def test_a_compaction_that_fails_is_reported_and_retried(job: Job, tmp_path: Path) -> None:
    clock, progress = Clock(), job.progress()
    job.tables = Tables(job.lake, max_driver_rows=0)
    upkeep = Upkeep(job.tables.upkeep_steps(), progress.report_upkeep, clock)
    for number in range(8):
        job.tables.write(as_messages(job.lake, [product(number)]), {})
    files = sorted((tmp_path / "off" / "products" / "data").glob("*.parquet"))
    lost = files[3].rename(tmp_path / "lost")

    def upkeep_error_at(seconds: int) -> str | None:
        clock.now = seconds
        upkeep.run_due()
        progress.report("running")
        reported: str | None = job.reported()["upkeepError"]
        return reported

    failed = upkeep_error_at(2)
    assert failed is not None
    assert failed.startswith("compaction of lake.off.products failed: ")
    lost.rename(files[3])
    assert upkeep_error_at(61) == failed
    assert upkeep_error_at(62) is None
    assert job.lake.table(f"{PRODUCTS}.data_files").count() == 1
    assert [code for code, _, _ in job.rows()] == [str(20_000_000 + number) for number in range(8)]
