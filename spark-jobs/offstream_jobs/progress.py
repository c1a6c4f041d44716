"""The progress file of the job."""

from __future__ import annotations

import json
import os
from collections import deque
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from offstream_jobs.program import StreamError, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql.streaming.query import StreamingQuery

    from offstream_jobs.checkpoint import Offsets

State: TypeAlias = Literal["starting", "running", "stopping", "stopped", "failed"]

_BATCHES = 100


class Progress:
    """The state and the position of the job, in a file that is replaced atomically.

    `packages/pipeline/src/services/streamProgress.ts` reads it. `inputRows` counts since this process
    started; `batchId`, `rowsPerSecond` and `triggerMs` are those of the last batch, null before the first.
    The last batches, with the duration of each phase, are next to it: for `name.progress.json` in
    `name.batches.json`.
    """

    def __init__(self, file: Path) -> None:
        """Start without offsets. This does not write the file."""
        now = _now()
        self._file = file
        self._batches_file = file.with_name(file.name.replace(".progress.", ".batches."))
        self._batches: deque[dict[str, Any]] = deque(maxlen=_BATCHES)
        self._fields: dict[str, Any] = {
            "version": 1,
            "pid": os.getpid(),
            "state": "starting",
            "batchId": None,
            "offsets": {},
            "inputRows": 0,
            "rowsPerSecond": None,
            "triggerMs": None,
            "error": None,
            "code": None,
            "details": None,
            "acceptedLosses": [],
            "upkeepError": None,
            "optimized": None,
            "executors": [],
            "startedAt": now,
            "updatedAt": now,
        }

    @property
    def files(self) -> tuple[Path, Path]:
        """The file with the state, and that with the last batches."""
        return self._file, self._batches_file

    @property
    def is_starting(self) -> bool:
        """Whether the first trigger is not done yet."""
        state: State = self._fields["state"]
        return state == "starting"

    def resume(self, offsets: Offsets) -> None:
        """Set the offsets that the last run reached. The next write reports them."""
        self._fields["offsets"] = offsets

    def report(self, state: State) -> None:
        """Write the file with this state."""
        self._fields["state"] = state
        self._write()

    def fail(self, error: Exception) -> None:
        """Write the file with the state `failed`, the error and, if the user must act, its code."""
        self._fields["error"] = one_line(error)
        if isinstance(error, StreamError):
            self._fields.update(code=error.code, details=error.details)
        self.report("failed")

    def report_accepted_losses(self, losses: list[dict[str, str]]) -> None:
        """Set the losses of messages that the user has accepted. The next write reports them."""
        self._fields["acceptedLosses"] = losses

    def report_upkeep(self, error: str | None) -> None:
        """Set which step of the tables' upkeep fails, or None. The next write reports it."""
        self._fields["upkeepError"] = error

    def report_executors(self, executors: list[dict[str, Any]]) -> None:
        """Set where the tasks run. The next write reports it."""
        self._fields["executors"] = executors

    def report_optimized(self, request: str, error: str | None) -> None:
        """Set which request of `offstream table optimize` is done. The next write reports it."""
        self._fields["optimized"] = {"request": request, "error": error}

    def follow(self, query: StreamingQuery) -> None:
        """Write the file with the batches that are done; the state is `running` after the first trigger."""
        # Not only the last one: an idle trigger may follow a batch, and there may be several batches.
        triggers = [json.loads(trigger.json) for trigger in query.recentProgress]
        last = self._fields["batchId"]
        for trigger in triggers:
            self._add_batch(trigger)
        if self._fields["batchId"] != last:
            _replace(self._batches_file, {"version": 1, "batches": list(self._batches)})
        idle = query.status["message"].startswith("Waiting for")
        if self._fields["state"] == "starting" and (triggers or idle):
            self._fields["state"] = "running"
        self._write()

    def _add_batch(self, trigger: dict[str, Any]) -> None:
        last = self._fields["batchId"]
        is_batch = "addBatch" in trigger["durationMs"]
        if not is_batch or (last is not None and trigger["batchId"] <= last):
            return
        self._fields.update(
            batchId=trigger["batchId"],
            offsets=trigger["sources"][0]["endOffset"],
            inputRows=self._fields["inputRows"] + trigger["numInputRows"],
            rowsPerSecond=trigger.get("processedRowsPerSecond"),
            triggerMs=trigger["durationMs"]["triggerExecution"],
        )
        self._batches.append(
            {
                "batchId": trigger["batchId"],
                "at": trigger["timestamp"],
                "rows": trigger["numInputRows"],
                "durationMs": trigger["durationMs"],
            }
        )

    def _write(self) -> None:
        self._fields["updatedAt"] = _now()
        _replace(self._file, self._fields)


def _replace(file: Path, fields: dict[str, Any]) -> None:
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(fields) + "\n", encoding="utf-8")
    temporary.replace(file)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
