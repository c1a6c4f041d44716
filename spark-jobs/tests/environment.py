"""The settings of a catalog in a folder, and a function that waits."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HISTORIES = int(os.environ.get("OFFSTREAM_HISTORIES", "5"))
"""The number of random histories of each property test."""

SEED = int(os.environ.get("OFFSTREAM_SEED") or random.randrange(2**32))
"""The seed of the random histories."""


def lake_settings(folder: Path) -> dict[str, str]:
    """The settings of a catalog `lake` in a folder, as `lakeCatalog.ts` of the pipeline makes them."""
    return {
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "jdbc",
        "spark.sql.catalog.lake.uri": f"jdbc:sqlite:{folder}/catalog.db?journal_mode=WAL&busy_timeout=30000",
        "spark.sql.catalog.lake.jdbc.schema-version": "V1",
        "spark.sql.catalog.lake.warehouse": f"file:{folder}",
        "spark.sql.catalog.lake.cache-enabled": "false",
    }


def until(condition: Callable[[], bool], timeout_seconds: float = 120) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
