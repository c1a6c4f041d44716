"""Print the number of rows of a CSV file and a digest of their values, which does not depend on their order or form.

Clients print the same time with or without a fraction, the same number with or without a decimal point, and null as
nothing or `NULL`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import re
from pathlib import Path

from record import COLUMNS


def normal(kind: str, value: str) -> str:
    """Return the canonical form of a value."""
    if value in ("", "NULL"):
        return ""
    if kind in ("number", "int", "long"):
        return repr(float(value))
    if kind == "time":
        moment = value.replace("T", " ").removesuffix("Z").removesuffix("+00:00")
        return moment.rstrip("0").rstrip(".") if "." in moment else moment
    return value


def main() -> None:
    """Print the digest of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    args = parser.parse_args()
    rows, total = 0, 0
    with args.file.open(newline="") as file:
        lines = csv.reader(file)
        # beeline prints its prompt before the header, Hive the name of the table before that of the column.
        kinds = [COLUMNS[re.split("[ .]", name)[-1]] for name in next(lines)]
        for line in lines:
            text = "\x1f".join(normal(kind, value) for kind, value in zip(kinds, line, strict=True))
            # A sum does not depend on the order.
            total += int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
            rows += 1
    print(json.dumps({"rows": rows, "digest": f"{total:x}"}))


if __name__ == "__main__":
    main()
