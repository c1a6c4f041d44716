"""The rewrite of all files that `offstream table optimize` requests from the running job.

Another process cannot do it: its commit would conflict with those of the batches, and one of them would fail.
The request is a file with an id. The progress file reports the id and the error when it is done.
"""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING

from lake import TABLES
from offstream_jobs.iceberg import rewrite
from offstream_jobs.program import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import SparkSession

    from offstream_jobs.progress import Progress


class OptimizeRequests:
    """Carries out one request at a time, in a thread, so that the job continues to report progress."""

    def __init__(
        self,
        spark: SparkSession,
        file: Path,
        alone: Callable[[Callable[[], None]], None],
        progress: Progress,
    ) -> None:
        """`alone` does work while no batch is being written and no upkeep runs."""
        self._spark = spark
        self._file = file
        self._alone = alone
        self._progress = progress
        self._thread: threading.Thread | None = None

    def follow(self) -> None:
        """Start to carry out a new request, if there is one. Call it repeatedly."""
        is_busy = self._thread is not None and self._thread.is_alive()
        if is_busy or not self._file.exists():
            return
        request = self._file.read_text(encoding="utf-8").strip()
        self._file.unlink()
        self._thread = threading.Thread(target=self._carry_out, args=(request,), name="optimize")
        self._thread.start()

    def finish(self) -> None:
        """Wait for a request that is being carried out."""
        if self._thread is not None:
            self._thread.join()

    def _carry_out(self, request: str) -> None:
        error = None
        try:
            self._alone(self._rewrite)
        except Exception as thrown:  # noqa: BLE001 - the stream must continue after any error
            traceback.print_exc()
            error = one_line(thrown)
        self._progress.report_optimized(request, error)

    def _rewrite(self) -> None:
        for table in TABLES:
            rewrite(self._spark, table)
