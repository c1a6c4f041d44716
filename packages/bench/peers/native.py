"""The native peer: one process with confluent-kafka, msgspec and delta-rs upserts messages into a Delta table.

Print one JSON object: `seconds` from the first request to Kafka to the last commit, `batches` with the seconds
of each. The imports and the start of Python do not count.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

import msgspec
import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition
from deltalake import DeltaTable, write_deltalake

from record import COLUMNS, TOPIC

_ARROW = {
    "text": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "number": pa.float64(),
    "time": pa.timestamp("us", "UTC"),
}
_PYTHON: dict[str, type] = {"text": str, "int": int, "long": int, "number": float, "time": datetime}
SCHEMA = pa.schema([*((name, _ARROW[kind]) for name, kind in COLUMNS.items()), ("kafka_offset", pa.int64())])
Product = msgspec.defstruct(
    # `Optional`, since `|` does not accept a type from a variable.
    "Product",
    [(name, Optional[_PYTHON[kind]], None) for name, kind in COLUMNS.items()],  # noqa: UP045
)
_NEWER = (
    "new.as_of > old.as_of OR (new.as_of = old.as_of AND (new.rev > old.rev OR "
    "(new.rev = old.rev AND new.kafka_offset > old.kafka_offset)))"
)
_decode = msgspec.json.Decoder(Product).decode


def table_of(messages: list[tuple[bytes, int]]) -> pa.Table:
    """Return the newest record of each product; a message is its value and its offset."""
    newest: dict[str, tuple[tuple[Any, ...], Any]] = {}
    for value, offset in messages:
        product: Any = _decode(value)
        age = (product.as_of, product.rev, offset)
        known = newest.get(product.code)
        if known is None or age > known[0]:
            newest[product.code] = (age, product)
    rows = [(*msgspec.structs.astuple(product), age[2]) for age, product in newest.values()]
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA
    )


def upsert(path: Path, rows: pa.Table) -> None:
    """Create the table with these rows, or merge them into it."""
    if not (path / "_delta_log").exists():
        write_deltalake(str(path), rows)
        return
    (
        DeltaTable(str(path))
        .merge(rows, "old.code = new.code", source_alias="new", target_alias="old")
        .when_matched_update_all(_NEWER)
        .when_not_matched_insert_all()
        .execute()
    )


def main() -> None:
    """Run the peer of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("brokers")
    add("table", type=Path)
    add("--start", type=int, default=0, help="first offset")
    add("--events", type=int, required=True)
    add("--batch", type=int, required=True, help="messages in a batch")
    args = parser.parse_args()
    started_at = time.perf_counter()
    consumer = Consumer(
        {
            "bootstrap.servers": args.brokers,
            "group.id": "native",
            "enable.auto.commit": False,
            "fetch.max.bytes": 50 << 20,
            "queued.max.messages.kbytes": 200_000,
        }
    )
    consumer.assign([TopicPartition(TOPIC, 0, args.start)])
    batches: list[float] = []
    left = args.events
    while left > 0:
        batch_at = time.perf_counter()
        messages: list[tuple[bytes, int]] = []
        while len(messages) < min(args.batch, left):
            found = consumer.consume(min(args.batch, left) - len(messages), timeout=1)
            messages.extend((message.value(), message.offset()) for message in found)
        upsert(args.table, table_of(messages))
        left -= len(messages)
        batches.append(time.perf_counter() - batch_at)
    print(json.dumps({"seconds": time.perf_counter() - started_at, "batches": batches}))


if __name__ == "__main__":
    main()
