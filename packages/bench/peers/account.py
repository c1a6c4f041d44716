"""Account for every acknowledged event of load.py in the Iceberg tables, by pyiceberg.

For each product the newest event must be the row of the table: the same offset, and deleted or not. Each
invalid message must be a row of the table of rejected messages. Products without an event must still be there,
and no other row may be there. Print one JSON object: `events`, `products`, `rejected`, `missing`, `wrong`,
`unexpected`, `examples`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from events import code_of

_MAX_EXAMPLES = 5


def newest_events(lines: list[dict[str, Any]]) -> dict[str, tuple[int, bool]]:
    """Return the offset of each product's newest event, and whether it is a delete.

    As in the product: the moment in milliseconds decides, then the revision, which a delete does not have, then
    the offset.
    """
    newest: dict[str, tuple[int, int, int, bool]] = {}
    for line in lines:
        if line["kind"] == "invalid":
            continue
        is_delete = line["kind"] == "delete"
        event = (int(line["sent_at"] * 1_000), -1 if is_delete else line["event"], line["offset"], is_delete)
        newest[line["code"]] = max(event, newest.get(line["code"], event))
    return {code: (offset, is_delete) for code, (_, _, offset, is_delete) in newest.items()}


def account(
    lines: list[dict[str, Any]], before: set[str], rows: list[tuple[str, int, bool]], rejected: list[int]
) -> dict[str, Any]:
    """Compare events with the rows of the table (code, offset, deleted) and the offsets of rejected messages.

    `before` are the products that the table had before the events.
    """
    newest = newest_events(lines)
    found = {code: (offset, deleted) for code, offset, deleted in rows}
    invalid = {line["offset"] for line in lines if line["kind"] == "invalid"}
    missing = [code for code in sorted(before | newest.keys()) if code not in found]
    missing += [f"rejected message {offset}" for offset in sorted(invalid.difference(rejected))]
    wrong = [
        f"{code}: {found[code]}, not {event}"
        for code, event in newest.items()
        if code in found and found[code] != event
    ]
    unexpected = [code for code in found if code not in before and code not in newest]
    unexpected += [f"rejected message {offset}" for offset in sorted(set(rejected) - invalid)]
    twice = len(rows) - len(found) + len(rejected) - len(set(rejected))
    unexpected += ["a duplicate row"] * twice
    return {
        "events": len(lines),
        "products": len(found),
        "rejected": len(rejected),
        "missing": len(missing),
        "wrong": len(wrong),
        "unexpected": len(unexpected),
        "examples": [*missing, *wrong, *unexpected][:_MAX_EXAMPLES],
    }


def main() -> None:
    """Print the result that the module's description defines."""
    # Only here, so that the accounting can be tested without the packages of the peers.
    from compare import iceberg_rows  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("catalog", type=Path)
    add("warehouse")
    add("keys", type=int, help="products of the table before the load")
    add("file", type=Path, help="what load.py recorded")
    args = parser.parse_args()
    with args.file.open() as file:
        lines = [json.loads(line) for line in file]
    rows = iceberg_rows(args.catalog, args.warehouse, where="code is not null")
    columns = (rows[name].to_pylist() for name in ("code", "kafka_offset", "deleted"))
    rejected = iceberg_rows(args.catalog, args.warehouse, "off.rejected", "kafka_offset >= 0")
    before = {code_of(key) for key in range(args.keys)}
    found = list(zip(*columns, strict=True))
    print(json.dumps(account(lines, before, found, rejected["kafka_offset"].to_pylist())))


if __name__ == "__main__":
    main()
