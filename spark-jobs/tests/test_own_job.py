"""With a real broker: a job of the user writes each message once, and continues where it stopped."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from broker import BrokerTopic
from environment import until
from kafka import Message
from offstream_jobs import Job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

TABLE = "lake.shop.clicks"


class Clicks:
    """A job on a new topic, as `offstream submit` runs it."""

    def __init__(self, lake: SparkSession, topic: BrokerTopic, folder: Path) -> None:
        """Create no files and start no query."""
        self.lake = lake
        self.topic = topic
        self.views: Path | None = None
        self._folder = folder
        self._progress = folder / "job-clicks.progress.json"
        self._environment = {
            "OFFSTREAM_CHECKPOINT": (folder / "checkpoint").as_uri(),
            "OFFSTREAM_PROGRESS": str(self._progress),
            "OFFSTREAM_KAFKA_OPTIONS": json.dumps({"kafka.bootstrap.servers": topic.broker}),
        }

    def run(self) -> None:
        """Run until the job exits."""
        job = Job(self._environment)
        # The session of the test has its own catalog.
        job.spark = self.lake
        value = F.from_json(F.col("value").cast("string"), "id string, page string").alias("click")
        rows = (
            job.read_topic(self.topic.name, trigger_ms=0).select(value, "offset").select("click.*", "offset")
        )
        job.upsert(rows, TABLE, key="id", order="offset", views=self.views)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the job in a thread, and request a stop at the end."""
        statuses: list[object] = []

        def run() -> None:
            try:
                self.run()
            except SystemExit as exited:
                statuses.append(exited.code)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop = self._folder / "job-clicks.progress.stop"
            stop.touch()
            thread.join()
            stop.unlink()
        assert statuses == [143]

    def publish(self, *clicks: object) -> None:
        """Publish clicks as JSON, each in a separate batch."""
        self.topic.publish(*(Message(b"key", json.dumps(click).encode()) for click in clicks))

    def reported(self) -> dict[str, Any]:
        """Read the progress file; empty if it does not exist."""
        if not self._progress.exists():
            return {}
        reported: dict[str, Any] = json.loads(self._progress.read_text(encoding="utf-8"))
        return reported

    def until_read(self, offset: int) -> None:
        """Wait until the job reports that it has written all messages before an offset."""
        held = {self.topic.name: {"0": offset}}
        until(lambda: self.reported().get("offsets") == held and self.reported()["state"] == "running")

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows of the table."""
        return [tuple(row) for row in self.lake.table(TABLE).orderBy("id").collect()]


@pytest.fixture
def clicks(
    bare_lake: SparkSession, broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Clicks]:
    # The job stops its session, which the other tests need.
    monkeypatch.setattr("pyspark.sql.SparkSession.stop", lambda _: None)
    topic = BrokerTopic(bare_lake, broker)
    yield Clicks(bare_lake, topic, tmp_path)
    topic.close()


def test_messages_become_rows_views_exist_and_a_restart_continues(clicks: Clicks, tmp_path: Path) -> None:
    clicks.views = tmp_path / "views"
    clicks.views.mkdir()
    (clicks.views / "pages.sql").write_text(f"SELECT page, count(*) AS n FROM {TABLE} GROUP BY page")
    clicks.publish({"id": "a", "page": "/"}, {"id": "b", "page": "/"}, "no click", {"id": "a", "page": "/x"})
    with clicks.running():
        clicks.until_read(4)
    assert clicks.rows() == [("a", "/x", 3), ("b", "/", 1)]
    assert (clicks.reported()["state"], clicks.reported()["inputRows"]) == ("stopped", 4)

    clicks.publish({"id": "c", "page": "/"})
    with clicks.running():
        clicks.until_read(5)
    assert (clicks.reported()["inputRows"], len(clicks.rows())) == (1, 3)
    pages = clicks.lake.table("lake.shop.pages").orderBy("page").collect()
    assert [tuple(row) for row in pages] == [("/", 2), ("/x", 1)]


def test_a_topic_that_was_created_again_fails_the_job_with_a_code(
    clicks: Clicks, capfd: pytest.CaptureFixture[str]
) -> None:
    clicks.publish({"id": "a", "page": "/"})
    with clicks.running():
        clicks.until_read(1)
    clicks.topic.delete()
    clicks.topic.create()

    with pytest.raises(SystemExit, match=r"^the job failed: topic .* was deleted and created again"):
        clicks.run()

    reported = clicks.reported()
    assert (reported["state"], reported["code"]) == ("failed", "KAFKA_DATA_LOSS")
    assert "DataLossError" in capfd.readouterr().err
    assert clicks.rows() == [("a", "/", 0)]


def test_a_table_that_was_dropped_fails_the_job_with_a_code(clicks: Clicks) -> None:
    clicks.publish({"id": "a", "page": "/"})
    with clicks.running():
        clicks.until_read(1)
    clicks.lake.sql(f"DROP TABLE {TABLE}")

    with pytest.raises(SystemExit, match="belongs to another table"):
        clicks.run()

    assert clicks.reported()["code"] == "CHECKPOINT_DAMAGED"


def test_a_program_without_the_environment_of_submit_says_how_to_start_it() -> None:
    with pytest.raises(RuntimeError, match="`offstream submit`"):
        Job({})
