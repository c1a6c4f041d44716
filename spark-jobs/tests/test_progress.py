"""The job tells how far it is, wholly and truly."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

from progress import Progress

if TYPE_CHECKING:
    from pathlib import Path


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
        "upkeepError": None,
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
