"""Compare a table with the newest record of each product in files of messages, row by row and column by column.

The table is `iceberg:<catalog.db>:<warehouse>`, `delta:<folder>` or `parquet:<folder>`. Spark is not used: pyiceberg,
delta-rs or Arrow read the table. Print one JSON object: `expected`, `found`, `missing`, `unexpected`, `different`,
and up to three examples.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import dataset
from pyarrow import json as pa_json

from record import COLUMNS

_ARROW = {
    "text": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "number": pa.float64(),
    "time": pa.timestamp("us", "UTC"),
}
SCHEMA = pa.schema([(name, _ARROW[kind]) for name, kind in COLUMNS.items()])
_AS_TEXT = pa.schema(
    [(name, pa.string() if kind == "time" else _ARROW[kind]) for name, kind in COLUMNS.items()]
)
_MAX_EXAMPLES = 3


def expected_rows(files: list[Path]) -> pa.Table:
    """Return the newest record of each product: `as_of` decides, then `rev`, then the place in the files."""
    parse = pa_json.ParseOptions(explicit_schema=_AS_TEXT, unexpected_field_behavior="error")
    records = pa.concat_tables([pa_json.read_json(file, parse_options=parse) for file in files]).cast(SCHEMA)
    return newest(records.append_column("place", pa.array(range(len(records)))), "place")


def newest(records: pa.Table, place: str) -> pa.Table:
    """Return the newest record of each product, in order of the codes."""
    order = [("code", "ascending"), ("as_of", "ascending"), ("rev", "ascending"), (place, "ascending")]
    records = records.sort_by(order)
    codes = records["code"].combine_chunks()
    is_last = pa.concat_arrays([pc.not_equal(codes[:-1], codes[1:]), pa.array([True])])
    return records.filter(is_last).select(SCHEMA.names)


def rows_of(table: str, from_offset: int = 0) -> pa.Table:
    """Return the rows of a table in order of their codes; of an Iceberg table those from an offset on."""
    kind, _, place = table.partition(":")
    if kind == "iceberg":
        catalog, _, warehouse = place.partition(":")
        where = f"deleted = false and kafka_offset >= {from_offset}"
        rows = iceberg_rows(Path(catalog), warehouse, where=where)
    elif kind == "delta":
        from deltalake import DeltaTable  # noqa: PLC0415

        rows = DeltaTable(place).to_pyarrow_table()
    else:
        rows = dataset.dataset(place, format="parquet", exclude_invalid_files=True).to_table()
        return newest(rows.select([*SCHEMA.names, "kafka_offset"]).cast(_with_offset()), "kafka_offset")
    return rows.select(SCHEMA.names).cast(SCHEMA).sort_by("code")


def iceberg_rows(
    catalog: Path, warehouse: str, table: str = "off.products", where: str = "deleted = false"
) -> pa.Table:
    """Return the rows of a table of the catalog `lake`, by pyiceberg."""
    from pyiceberg.catalog.sql import SqlCatalog  # noqa: PLC0415

    lake = SqlCatalog("lake", uri=f"sqlite:///{catalog}", warehouse=f"file://{warehouse}")
    return lake.load_table(table).scan(row_filter=where).to_arrow()


def differences(expected: pa.Table, found: pa.Table) -> dict[str, object]:
    """Compare two tables in order of their codes."""
    left, right = expected["code"].combine_chunks(), found["code"].combine_chunks()
    missing = expected.filter(pc.invert(pc.is_in(left, right)))["code"].to_pylist()
    unexpected = found.filter(pc.invert(pc.is_in(right, left)))["code"].to_pylist()
    one, other = expected.filter(pc.is_in(left, right)), found.filter(pc.is_in(right, left))
    different: dict[str, str] = {}
    if len(one) == len(other):
        for name in SCHEMA.names:
            for at in pc.indices_nonzero(_differs(one[name], other[name])).to_pylist():
                value = f"{name}: {other[name][at].as_py()!r}, not {one[name][at].as_py()!r}"
                different.setdefault(one["code"][at].as_py(), value)
    examples = [
        *missing[:_MAX_EXAMPLES],
        *unexpected[:_MAX_EXAMPLES],
        *list(different.items())[:_MAX_EXAMPLES],
    ]
    return {
        "expected": len(expected),
        "found": len(found),
        "missing": len(missing),
        "unexpected": len(unexpected) + max(0, len(other) - len(one)),
        "different": len(different),
        "examples": [str(example) for example in examples],
    }


def _differs(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return in which rows two columns differ; two nulls are equal."""
    same = pc.fill_null(pc.equal(one, other), fill_value=False)
    both_null = pc.and_(pc.is_null(one), pc.is_null(other))
    return pc.invert(pc.or_(same, both_null))


def _with_offset() -> pa.Schema:
    return SCHEMA.append(pa.field("kafka_offset", pa.int64()))


def main() -> None:
    """Print the comparison of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("table")
    add("files", nargs="+", type=Path)
    add("--from-offset", type=int, default=0, help="ignore rows of messages before this offset")
    args = parser.parse_args()
    print(json.dumps(differences(expected_rows(args.files), rows_of(args.table, args.from_offset))))


if __name__ == "__main__":
    main()
