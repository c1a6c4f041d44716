"""Account for every acknowledged event of load.py in the Iceberg tables, by pyiceberg.

For each product the newest event must be the row of the table: the same offset, and deleted or not. Each invalid
message must be a row of the table of rejected messages, and nothing else may be there. Products without an event must
still be there. Print one JSON object: `events`, `products`, `rejected`, `missing`, `wrong`, `unexpected`, `examples`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from compare import iceberg_rows
from events import code_of

_MAX_EXAMPLES = 5


def newest_events(lines: list[dict[str, object]]) -> dict[str, tuple[tuple[int, int, object], bool]]:
    """Return the newest event of each product: its age, and whether it is a delete.

    As in the product: the moment in milliseconds decides, then the revision, which a delete does not have, then the
    offset.
    """
    newest: dict[str, tuple[tuple[int, int, object], bool]] = {}
    for line in lines:
        if line["kind"] == "invalid":
            continue
        is_delete = line["kind"] == "delete"
        rev = -1 if is_delete else int(str(line["event"]))
        age = (int(float(str(line["sent_at"])) * 1_000), rev, line["offset"])
        code = str(line["code"])
        if code not in newest or age > newest[code][0]:
            newest[code] = (age, is_delete)
    return newest


def main() -> None:
    """Print the account of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("catalog", type=Path)
    add("warehouse")
    add("keys", type=int, help="products of the table before the load")
    add("file", type=Path, help="what load.py recorded")
    args = parser.parse_args()
    with args.file.open() as file:
        lines = [json.loads(line) for line in file]
    newest = newest_events(lines)
    rows = iceberg_rows(args.catalog, args.warehouse, where="code is not null")
    found = {
        code: (offset, deleted)
        for code, offset, deleted in zip(
            *(rows[name].to_pylist() for name in ("code", "kafka_offset", "deleted")), strict=True
        )
    }
    before = {code_of(key) for key in range(args.keys)}
    missing = [code for code in {*before, *newest} if code not in found]
    wrong = [
        f"{code}: {found[code]}, not {(age[2], is_delete)}"
        for code, (age, is_delete) in newest.items()
        if code in found and found[code] != (age[2], is_delete)
    ]
    unexpected = [code for code in found if code not in before and code not in newest]
    rejected = iceberg_rows(args.catalog, args.warehouse, "off.rejected", "kafka_offset >= 0")
    offsets = rejected["kafka_offset"].to_pylist()
    invalid = {line["offset"] for line in lines if line["kind"] == "invalid"}
    missing += [f"rejected message {offset}" for offset in invalid.difference(offsets)]
    unexpected += [f"rejected message {offset}" for offset in set(offsets).difference(invalid)]
    unexpected += [f"{len(found)} codes in {len(rows)} rows"] * (len(found) != len(rows))
    unexpected += [f"{len(set(offsets))} messages in {len(offsets)} rejected rows"] * (
        len(set(offsets)) != len(offsets)
    )
    print(
        json.dumps(
            {
                "events": len(lines),
                "products": len(found),
                "rejected": len(offsets),
                "missing": len(missing),
                "wrong": len(wrong),
                "unexpected": len(unexpected),
                "examples": [*missing, *wrong, *unexpected][:_MAX_EXAMPLES],
            }
        )
    )


if __name__ == "__main__":
    main()
