"""Runs the job, and kills it and its Java process at a chosen moment of its first batch.

`KILL_AT` says when: `before` anything is written; `after` the tables are committed and before Spark commits
the batch; a number of seconds after the batch starts; or `never`.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, NoReturn

import stream
from offstream_jobs.batches import Batches

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def die() -> NoReturn:
    """Kill the process group: this process and the Java process."""
    os.killpg(0, signal.SIGKILL)
    raise AssertionError


class KilledBatches(Batches):
    """Dies before, while or after the tables are written."""

    def __call__(self, batch: DataFrame, batch_id: int) -> None:
        """Write the batch."""
        moment = os.environ["KILL_AT"]
        if moment == "before":
            die()
        if moment not in ("after", "never"):
            threading.Timer(float(moment), die).start()
        super().__call__(batch, batch_id)
        if moment == "after":
            die()


if __name__ == "__main__":
    stream.Batches = KilledBatches  # type: ignore[attr-defined]
    stream.main()
