"""Write the result of a SQL statement as CSV to standard output, by PyHive or impyla."""

from __future__ import annotations

import argparse
import csv
import sys

_ROWS_AT_ONCE = 1_000


def main() -> None:
    """Run the statement of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("client", choices=("pyhive", "impyla"))
    add("host")
    add("port", type=int)
    add("sql")
    args = parser.parse_args()
    if args.client == "pyhive":
        from pyhive import hive  # noqa: PLC0415

        cursor = hive.connect(args.host, args.port, username="offstream").cursor(arraysize=_ROWS_AT_ONCE)
    else:
        from impala import dbapi  # noqa: PLC0415

        connection = dbapi.connect(
            args.host, args.port, auth_mechanism="PLAIN", user="offstream", password="none"
        )
        cursor = connection.cursor()
        cursor.arraysize = _ROWS_AT_ONCE
    cursor.execute(args.sql)
    writer = csv.writer(sys.stdout)
    writer.writerow([column[0] for column in cursor.description])
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        writer.writerows(rows)


if __name__ == "__main__":
    main()
