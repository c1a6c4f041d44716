"""How far the job is, as it tells in a file."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql.streaming.query import StreamingQuery

    from checkpoint import Offsets

State: TypeAlias = Literal["starting", "running", "stopping", "stopped", "failed"]


class Progress:
    """What the job tells of itself, in a file that is replaced as a whole: no reader meets half of it.

    `packages/pipeline/src/services/streamProgress.ts` reads it. `inputRows` counts since this process
    started; `batchId`, `rowsPerSecond` and `triggerMs` are those of the last batch, null before the first.
    """

    def __init__(self, file: Path, offsets: Offsets) -> None:
        """Start at the offsets that an earlier run had reached; nothing is written yet."""
        now = _now()
        self._file = file
        self._told: dict[str, Any] = {
            "version": 1,
            "pid": os.getpid(),
            "state": "starting",
            "batchId": None,
            "offsets": offsets,
            "inputRows": 0,
            "rowsPerSecond": None,
            "triggerMs": None,
            "error": None,
            "upkeepError": None,
            "startedAt": now,
            "updatedAt": now,
        }

    def tell(self, state: State, error: str | None = None) -> None:
        """Write the file anew with this state."""
        self._told.update(state=state, error=error)
        self._write()

    def report_upkeep(self, error: str | None) -> None:
        """Report from the next write on which step of the tables' upkeep fails; None if none does."""
        self._told["upkeepError"] = error

    def follow(self, query: StreamingQuery) -> None:
        """Write the file anew with the batches that have ended since; `running` as soon as a trigger has."""
        # Not the last alone: an idle trigger's comes after it, and quick batches come several at a time.
        triggers = [json.loads(trigger.json) for trigger in query.recentProgress]
        for trigger in triggers:
            self._add_batch(trigger)
        idle = query.status["message"].startswith("Waiting for")
        if self._told["state"] == "starting" and (triggers or idle):
            self._told["state"] = "running"
        self._write()

    def _add_batch(self, trigger: dict[str, Any]) -> None:
        last = self._told["batchId"]
        is_batch = "addBatch" in trigger["durationMs"]
        if not is_batch or (last is not None and trigger["batchId"] <= last):
            return
        self._told.update(
            batchId=trigger["batchId"],
            offsets=trigger["sources"][0]["endOffset"],
            inputRows=self._told["inputRows"] + trigger["numInputRows"],
            rowsPerSecond=trigger.get("processedRowsPerSecond"),
            triggerMs=trigger["durationMs"]["triggerExecution"],
        )

    def _write(self) -> None:
        self._told["updatedAt"] = _now()
        beside = self._file.with_suffix(".tmp")
        beside.write_text(json.dumps(self._told) + "\n", encoding="utf-8")
        beside.replace(self._file)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
