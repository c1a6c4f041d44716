"""Query the revision of the marker product, at most five times a second, and record when each was first seen.

It queries a Thrift server (`thrift:<host>:<port>`) or a Delta table (`delta:<folder>`, by delta-rs). FILE gets a JSON
line for each new revision: `rev`, `seen_at` (seconds since 1970). It runs until SIGTERM, then prints one JSON object:
`queries`, `cpu_seconds`, `query_ms`, the duration of each query.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from events import code_of
from load import MARKER

if TYPE_CHECKING:
    from collections.abc import Callable

MIN_INTERVAL_SECONDS = 0.2


def thrift_reader(address: str) -> Callable[[], int | None]:
    """Return a function that reads the revision through one connection."""
    from pyhive import hive  # noqa: PLC0415

    host, _, port = address.partition(":")
    cursor = hive.connect(host, int(port), username="offstream").cursor()

    def revision() -> int | None:
        cursor.execute(f"SELECT rev FROM Products WHERE code = '{code_of(MARKER)}'")
        rows = cursor.fetchall()
        return rows[0][0] if rows else None

    return revision


def delta_reader(folder: str) -> Callable[[], int | None]:
    """Return a function that reads the newest version of a table."""
    from deltalake import DeltaTable, QueryBuilder  # noqa: PLC0415

    table = DeltaTable(folder)

    def revision() -> int | None:
        table.update_incremental()
        found = (
            QueryBuilder()
            .register("products", table)
            .execute(f"SELECT rev FROM products WHERE code = '{code_of(MARKER)}'")
        )
        values = found.read_all()["rev"].to_pylist()
        return values[0] if values else None

    return revision


def main() -> None:
    """Run the probe of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("table")
    add("file", type=Path)
    args = parser.parse_args()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    kind, _, place = args.table.partition(":")
    revision = thrift_reader(place) if kind == "thrift" else delta_reader(place)
    durations: list[float] = []
    seen: int | None = None
    # Unbuffered lines, because a caller reads how far the probe is.
    with args.file.open("w", buffering=1) as file:
        while not stop.is_set():
            started_at = time.time()
            found = revision()
            seen_at = time.time()
            durations.append(1_000 * (seen_at - started_at))
            if found is not None and found != seen:
                seen = found
                print(json.dumps({"rev": found, "seen_at": seen_at}), file=file)
            stop.wait(max(0, started_at + MIN_INTERVAL_SECONDS - time.time()))
    cpu_seconds = time.process_time()
    print(json.dumps({"queries": len(durations), "cpu_seconds": cpu_seconds, "query_ms": durations}))


if __name__ == "__main__":
    main()
