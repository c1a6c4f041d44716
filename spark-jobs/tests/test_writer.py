"""The tables have only one writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from locks import lock_holder
from writer import TableInUseError, sole_writer

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def test_a_second_writer_is_rejected_until_the_first_is_killed(lake: SparkSession, tmp_path: Path) -> None:
    with (
        lock_holder(tmp_path / "stream.lock") as holder,
        pytest.raises(TableInUseError, match=rf"^another stream \(pid {holder.pid}\)"),
        sole_writer(lake),
    ):
        pytest.fail("two writers")
    for _ in range(2):
        with sole_writer(lake):
            pass
