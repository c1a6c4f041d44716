"""Runs a program of the user as a job, and records that it has completed.

usage: job.py DONE_FILE PROGRAM [ARGUMENT…]

The file appears when the program has done its work. The supervisor needs it: it does not know the exit
status of a process that an earlier supervisor started.
"""

from __future__ import annotations

import atexit
import runpy
import sys
from pathlib import Path


def main() -> None:
    """Run the program as Python itself would: with its arguments, and with the modules next to it."""
    done, program, *arguments = sys.argv[1:]
    sys.argv = [program, *arguments]
    sys.path[0] = str(Path(program).parent)
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as error:
        if error.code not in (None, 0):
            raise
    # After the threads that the program may have started.
    atexit.register(Path(done).touch)


if __name__ == "__main__":
    main()
