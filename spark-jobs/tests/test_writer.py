"""The tables have only one writer."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from writer import TableInUseError, sole_writer

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

HOLDER = """
import fcntl, os, sys
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
file.write(f"{os.getpid()}\\n")
file.flush()
print("locked", flush=True)
input()
"""


def test_a_second_writer_is_rejected_until_the_first_is_killed(lake: SparkSession, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "stream.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with (
            pytest.raises(TableInUseError, match=rf"^another stream \(pid {holder.pid}\)"),
            sole_writer(lake),
        ):
            pytest.fail("two writers")
        holder.kill()
    for _ in range(2):
        with sole_writer(lake):
            pass
