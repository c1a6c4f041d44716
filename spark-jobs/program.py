"""How the programs of this folder end."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

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
    """Return what went wrong in one line, without the stack that Spark puts into its messages."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
