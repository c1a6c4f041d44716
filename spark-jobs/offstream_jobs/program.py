"""How the programs of this folder report a failure."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, TypeVar

from py4j.protocol import Py4JJavaError, Py4JNetworkError

if TYPE_CHECKING:
    from collections.abc import Callable


T = TypeVar("T")


class StreamError(Exception):
    """A failure that repeats at each start until the user acts; the supervisor does not restart the job."""

    code: str
    """The error code for the user, see `packages/pipeline/src/errors.ts`."""
    details: dict[str, object] | None = None
    """The data that the remedy of this code needs."""


def run(name: str, main: Callable[[], None]) -> None:
    """Run a program under the name of its service; exit with 1 if it fails.

    The error comes after its stack, since offstream shows the last lines of a failed service's log.
    """
    try:
        main()
    except Exception as error:
        traceback.print_exc()
        print(f"{name} failed: {one_line(error)}", file=sys.stderr)
        raise SystemExit(1) from error


def started(start: Callable[[], T]) -> T:
    """Return what `start` returns, the session of Spark; call it again after an error that does not repeat.

    On YARN another thread adds a filter to Spark's web pages while they start. If both happen at the same
    moment, Spark 4.1.1 stops with a ConcurrentModificationException.
    """
    try:
        return start()
    except Py4JJavaError as error:
        if error.java_exception.getClass().getSimpleName() != "ConcurrentModificationException":
            raise
        return start()


def one_line(error: BaseException) -> str:
    """Return the message of an error and of its first cause in one line, without the stacks of Java."""
    if isinstance(error, (Py4JNetworkError, ConnectionError)):
        return "the Java process of Spark has exited"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # The first line of an error of py4j only names the object that was called.
    message = lines[1:] if isinstance(error, Py4JJavaError) else lines
    if not message:
        return type(error).__name__
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return " ← ".join([message[0].removeprefix(": "), *causes[-1:]])
