"""The job tells how far it is, wholly and truly."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

from progress import Progress, committed_offsets

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def test_the_file_tells_what_stream_ts_reads(tmp_path: Path) -> None:
    file = tmp_path / "job.progress.json"
    Progress(file, {"products-events": {"0": 41}}).tell("failed", "no broker answered")

    told = json.loads(file.read_text(encoding="utf-8"))

    moments = {told.pop("startedAt"), told.pop("updatedAt")}
    assert all(moment.endswith("Z") and len(moment) == len("2026-01-31T12:00:00.000Z") for moment in moments)
    assert told == {
        "version": 1,
        "pid": os.getpid(),
        "state": "failed",
        "batchId": None,
        "offsets": {"products-events": {"0": 41}},
        "inputRows": 0,
        "rowsPerSecond": None,
        "triggerMs": None,
        "error": "no broker answered",
    }


def test_a_reader_never_meets_half_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "job.progress.json"
    progress = Progress(file, {"products-events": {str(partition): 1 for partition in range(2_000)}})
    progress.tell("running")
    done = threading.Event()

    def write() -> None:
        for count in range(300):
            progress.tell("failed", "x" * (count % 7) * 5_000)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    reads = 0
    while not done.is_set():
        assert json.loads(file.read_text(encoding="utf-8"))["version"] == 1
        reads += 1
    writer.join()
    assert reads > 1
    assert [left.name for left in tmp_path.iterdir()] == ["job.progress.json"]


def test_a_job_that_never_ran_has_no_offsets(spark: SparkSession, tmp_path: Path) -> None:
    assert committed_offsets(spark, str(tmp_path / "checkpoint")) == {}


def checkpoint_with(folder: Path, commits: list[int], offsets: dict[int, int]) -> str:
    """Make what Spark 4.1 writes for a Kafka source: numbers of batches to the offset that each reached."""
    (folder / "commits").mkdir(parents=True)
    (folder / "offsets").mkdir()
    for batch in commits:
        (folder / "commits" / str(batch)).write_text('v1\n{"nextBatchWatermarkMs":0}')
        (folder / "commits" / f".{batch}.crc").touch()
    for batch, offset in offsets.items():
        source = json.dumps({"products-events": {"0": offset}})
        (folder / "offsets" / str(batch)).write_text(f'v1\n{{"batchWatermarkMs":0,"conf":{{}}}}\n{source}')
    return folder.as_uri()


def test_a_batch_that_was_planned_but_not_done_does_not_count(spark: SparkSession, tmp_path: Path) -> None:
    checkpoint = checkpoint_with(tmp_path / "c", commits=[9, 10], offsets={9: 90, 10: 100, 11: 110})
    assert committed_offsets(spark, checkpoint) == {"products-events": {"0": 100}}


def test_a_job_that_ended_in_its_first_batch_has_no_offsets(spark: SparkSession, tmp_path: Path) -> None:
    checkpoint = checkpoint_with(tmp_path / "c", commits=[], offsets={0: 10})
    assert committed_offsets(spark, checkpoint) == {}
