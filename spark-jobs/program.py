"""How the programs of this folder end."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from py4j.protocol import Py4JJavaError, Py4JNetworkError

if TYPE_CHECKING:
    from collections.abc import Callable


def run(name: str, main: Callable[[], None]) -> None:
    """Run a program under the name of its service; where it fails, exit with 1.

    Its stack comes first and what went wrong last: the last lines of the log are what is shown of a service
    that failed.
    """
    try:
        main()
    except Exception as error:
        traceback.print_exc()
        print(f"{name} failed: {in_short(error)}", file=sys.stderr)
        raise SystemExit(1) from error


def in_short(error: BaseException) -> str:
    """Return what went wrong, and where it is told why, in one line: without the stacks of Java."""
    if isinstance(error, (Py4JNetworkError, ConnectionError)):
        return "the Java process of Spark has ended"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # The first line of py4j's own errors says no more than which object was called.
    what = lines[1:] if isinstance(error, Py4JJavaError) else lines
    if not what:
        return type(error).__name__
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return " ← ".join([what[0].removeprefix(": "), *causes[-1:]])
