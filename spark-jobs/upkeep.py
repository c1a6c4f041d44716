"""When the tables are compacted and cleaned up, and what happens if that fails.

Upkeep runs between two batches, since it must not run beside a MERGE. A step that
fails does not stop the stream: the error is logged and reported in the progress file, and the step is retried
later.
"""

from __future__ import annotations

import sys
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lake import TABLES, compact, expire_snapshots, remove_orphans
from program import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession

_MIN_RETRY_SECONDS = 60
_MAX_RETRY_SECONDS = 3_600


@dataclass
class _Step:
    """One kind of upkeep of one table."""

    name: str
    table: str
    run: Callable[[SparkSession, str], None]
    every_batches: int
    failures: int = 0
    """Failures in a row."""
    retry_at: float = 0
    error: str | None = None

    def is_due(self, batch_id: int, now: float) -> bool:
        """A failed step waits for its retry time, every other step for its batch."""
        return now >= self.retry_at if self.failures else (batch_id + 1) % self.every_batches == 0


class Upkeep:
    """The upkeep of all tables."""

    def __init__(
        self,
        report: Callable[[str | None], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`report` gets the error of the first failing step, or None if no step fails."""
        self._report = report
        self._clock = clock
        self._steps = [
            _Step(name, table, run, every_batches)
            for name, run, every_batches in (
                ("compaction", compact, 50),
                ("snapshot expiry", expire_snapshots, 50),
                ("orphan removal", remove_orphans, 5_000),
            )
            for table in TABLES
        ]

    def after_batch(self, spark: SparkSession, batch_id: int) -> None:
        """Run the steps that are due. This does not throw."""
        due = [step for step in self._steps if step.is_due(batch_id, self._clock())]
        for step in due:
            self._run(step, spark)
        if due:
            self._report(next((step.error for step in self._steps if step.error), None))

    def _run(self, step: _Step, spark: SparkSession) -> None:
        try:
            step.run(spark, step.table)
        except Exception as error:  # noqa: BLE001 - whatever fails here, the stream must continue
            step.failures += 1
            pause = min(_MIN_RETRY_SECONDS * 2 ** (step.failures - 1), _MAX_RETRY_SECONDS)
            step.retry_at = self._clock() + pause
            step.error = f"{step.name} of {step.table} failed: {one_line(error)}"
            traceback.print_exc()
            print(f"{step.error}; next try in {pause} s, the stream continues", file=sys.stderr, flush=True)
        else:
            step.failures, step.error = 0, None
