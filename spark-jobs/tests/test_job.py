"""A job is completed when its program has done its work; otherwise its file does not appear."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

JOB = Path(__file__).parent.parent / "job.py"

LATER = """
import pathlib, sys, threading, time
def work():
    time.sleep(0.3)
    print("the file exists:", pathlib.Path(sys.argv[1]).exists())
threading.Thread(target=work).start()
"""


def run(folder: Path, source: str) -> tuple[int, bool, str]:
    """Run a program that gets the path of its file: its status, whether the file appeared, its output."""
    done, program = folder / "done", folder / "program.py"
    (folder / "beside.py").write_text("word = 'imported'")
    program.write_text(source)
    command = [sys.executable, str(JOB), str(done), str(program), str(done)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    return finished.returncode, done.exists(), finished.stdout.strip()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import beside; print(__name__, beside.word)", (0, True, "__main__ imported")),
        ("import sys; print(len(sys.argv)); sys.exit(0)", (0, True, "2")),
        ("import sys; sys.exit()", (0, True, "")),
        ("import sys; sys.exit(3)", (3, False, "")),
        ("import sys; sys.exit('no input')", (1, False, "")),
        ("raise ValueError", (1, False, "")),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", (-15, False, "")),
        (LATER, (0, True, "the file exists: False")),
    ],
)
def test_the_file_appears_if_the_program_succeeds_after_its_threads(
    tmp_path: Path, source: str, expected: tuple[int, bool, str]
) -> None:
    assert run(tmp_path, source) == expected
