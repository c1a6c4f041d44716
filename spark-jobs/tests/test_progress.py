"""The progress file is complete and correct at any time."""

from __future__ import annotations

import json
import os
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from offstream_jobs.checkpoint import CheckpointDamagedError
from offstream_jobs.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path


def test_the_file_has_the_fields_that_stream_progress_ts_reads(tmp_path: Path) -> None:
    file = tmp_path / "job.progress.json"
    progress = Progress(file)
    progress.resume({"products-events": {"0": 41}})
    progress.report_accepted_losses([{"at": "2026-01-31T12:00:00Z", "reason": "offsets 3 to 5"}])
    progress.report_executors([{"id": "0"}])
    progress.fail(OSError("no broker answered"))

    reported = json.loads(file.read_text(encoding="utf-8"))

    times = {reported.pop("startedAt"), reported.pop("updatedAt")}
    assert all(time.endswith("Z") and len(time) == len("2026-01-31T12:00:00.000Z") for time in times)
    assert reported == {
        "version": 1,
        "pid": os.getpid(),
        "state": "failed",
        "batchId": None,
        "offsets": {"products-events": {"0": 41}},
        "inputRows": 0,
        "rowsPerSecond": None,
        "triggerMs": None,
        "error": "no broker answered",
        "code": None,
        "details": None,
        "acceptedLosses": [{"at": "2026-01-31T12:00:00Z", "reason": "offsets 3 to 5"}],
        "upkeepError": None,
        "optimized": None,
        "executors": [{"id": "0"}],
    }


def test_an_error_that_the_user_must_fix_has_its_code_and_the_data_of_its_remedy(tmp_path: Path) -> None:
    file = tmp_path / "job.progress.json"
    error = CheckpointDamagedError("`metadata` is empty")
    error.details = {"offsets": {}}

    Progress(file).fail(error)

    reported = json.loads(file.read_text(encoding="utf-8"))
    assert (reported["state"], reported["error"], reported["code"], reported["details"]) == (
        "failed",
        "`metadata` is empty",
        "CHECKPOINT_DAMAGED",
        {"offsets": {}},
    )


def test_a_reader_never_sees_a_partial_file(tmp_path: Path) -> None:
    file = tmp_path / "job.progress.json"
    progress = Progress(file)
    progress.resume({"products-events": {str(partition): 1 for partition in range(2_000)}})
    progress.report("running")
    done = threading.Event()

    def write() -> None:
        for count in range(300):
            progress.fail(OSError("x" * (count % 7) * 5_000))
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


def test_the_last_batches_are_in_their_own_file(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "job.progress.json")

    progress.follow(_query([_trigger(batch) for batch in range(120)]))  # type: ignore[arg-type]
    progress.follow(_query([{**_trigger(119), "durationMs": {"latestOffset": 1}}]))  # type: ignore[arg-type]

    reported = json.loads((tmp_path / "job.batches.json").read_text(encoding="utf-8"))
    assert [batch["batchId"] for batch in reported["batches"]] == list(range(20, 120))
    assert reported["batches"][0] == {
        "batchId": 20,
        "at": "2026-01-31T12:00:00.000Z",
        "rows": 50,
        "durationMs": {"addBatch": 400, "triggerExecution": 500},
    }


def _query(triggers: list[dict[str, Any]]) -> SimpleNamespace:
    progress = [SimpleNamespace(json=json.dumps(trigger)) for trigger in triggers]
    return SimpleNamespace(recentProgress=progress, status={"message": "Waiting for next trigger"})


def _trigger(batch: int) -> dict[str, Any]:
    return {
        "batchId": batch,
        "timestamp": "2026-01-31T12:00:00.000Z",
        "numInputRows": 50,
        "durationMs": {"addBatch": 400, "triggerExecution": 500},
        "sources": [{"endOffset": {"products-events": {"0": batch}}}],
    }
