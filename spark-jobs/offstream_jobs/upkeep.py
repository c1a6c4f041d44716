"""When the tables are compacted and cleaned up, and what happens if that fails.

Upkeep runs in a separate thread, while batches continue; only its commits wait for a batch, and a batch for
them. A step that fails does not stop the stream: the error is logged and reported in the progress file, and
the step is retried later.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offstream_jobs.program import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MIN_RETRY_SECONDS = 60
_MAX_RETRY_SECONDS = 3_600
_POLL_SECONDS = 1.0
_PAUSE_FACTOR = 3
"""A step that took a second does not run again for three, which leaves the processor to the batches."""


@dataclass
class Step:
    """One kind of upkeep of one table."""

    name: str
    table: str
    run: Callable[[], bool]
    """Returns whether there may be more to do at once."""
    interval_seconds: float
    due_at: float = 0
    failures: int = 0
    """Failures in a row."""
    error: str | None = None


class Upkeep:
    """The upkeep of all tables."""

    def __init__(
        self,
        steps: Sequence[Step],
        report: Callable[[str | None], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`report` gets the error of the first failing step, or None if no step fails."""
        self._report = report
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run_until_stopped, name="upkeep", daemon=True)
        self._steps = steps
        for step in self._steps:
            step.due_at = clock() + step.interval_seconds

    def __enter__(self) -> Upkeep:
        """Run the steps when they are due, in a thread."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the step that is running; no other starts."""
        self._stopped.set()
        self._thread.join()

    def run_due(self) -> None:
        """Run the steps that are due. This does not throw."""
        due = [step for step in self._steps if self._clock() >= step.due_at]
        for step in due:
            self._run(step)
        if due:
            self._report(next((step.error for step in self._steps if step.error), None))

    def _run_until_stopped(self) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            self.run_due()

    def _run(self, step: Step) -> None:
        started = self._clock()
        try:
            is_more = step.run()
        except Exception as error:  # noqa: BLE001 - whatever fails here, the stream must continue
            step.failures += 1
            pause = min(_MIN_RETRY_SECONDS * 2 ** (step.failures - 1), _MAX_RETRY_SECONDS)
            step.due_at = self._clock() + pause
            step.error = f"{step.name} of {step.table} failed: {one_line(error)}"
            traceback.print_exc()
            print(f"{step.error}; next try in {pause} s, the stream continues", file=sys.stderr, flush=True)
        else:
            step.failures, step.error = 0, None
            pause = _PAUSE_FACTOR * (self._clock() - started)
            step.due_at = self._clock() + (pause if is_more else max(pause, step.interval_seconds))
