"""Publish events at a fixed rate for some time, and record when each was sent and acknowledged.

Most events update a product at random. Every `--marker-every`th event is an update of the marker product, whose `rev`
is the number of the event: a reader that sees this revision sees all events before it. With `--mixed`, some events are
new products, deletes or invalid messages.

FILE gets a JSON line for each acknowledged event: `event`, `kind`, `code`, `offset`, `sent_at` (seconds since 1970).
Print one JSON object: `sent`, `acknowledged`, `seconds`, `cpu_seconds`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from events import FIRST_CODE, code_of, value_of
from publish import producer_of
from record import HEADERS, TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import KafkaError, Message

MARKER = -1
"""The number of the marker product: its code comes before all others."""

_MIXED = (("update", 80), ("new", 10), ("delete", 7), ("invalid", 3))


def invalid_values(value: bytes) -> tuple[bytes, ...]:
    """Return messages that are not products, made from one that is."""
    return (
        b"",
        b"not JSON",
        value[:-40],
        value + b"]",
        value.replace(b'"as_of":"', b'"as_of":"yesterday '),
        value.replace(b'"nova_group":', b'"nova_group":9'),
        value.replace(b'"fat_100g":', b'"fat_100g":"much","was":'),
        value.replace(b'"source":"export"', b'"source":null'),
        value[:100] + b"\xff\xfe" + value[100:],
    )


class Load:
    """The events, one after the other."""

    def __init__(self, brokers: str, file: TextIO, *, keys: int, marker_every: int, mixed: bool) -> None:
        self._producer = producer_of(brokers, **{"linger.ms": 5})
        self._file = file
        self._keys = keys
        self._marker_every = marker_every
        self._kinds, weights = zip(*_MIXED, strict=True) if mixed else (("update",), (1,))
        self._weights = weights
        self._choice = random.Random(keys)  # noqa: S311 - the load must be reproducible
        # Later loads have greater numbers, so a marker of an earlier load is older than all of this one.
        self._first = int(time.time() * 1_000_000)
        self.sent = 0
        self.acknowledged = 0

    def send(self) -> None:
        """Send the next event."""
        event = self._first + self.sent
        is_marker = self.sent % self._marker_every == 0
        self.sent += 1
        kind = "marker" if is_marker else self._choice.choices(self._kinds, self._weights)[0]
        key = MARKER if kind == "marker" else self._key(kind)
        sent_at = time.time()
        as_of_ms = int(sent_at * 1_000)
        value: bytes | None = None if kind == "delete" else value_of(key, event, as_of_ms)
        if kind == "invalid" and value is not None:
            value = self._choice.choice(invalid_values(value))
        line = {"event": event, "kind": kind, "code": code_of(key), "sent_at": sent_at}
        self._producer.produce(
            TOPIC,
            value,
            code_of(key),
            headers=HEADERS,
            timestamp=as_of_ms,
            on_delivery=self._acknowledge(line),
        )
        self._producer.poll(0)

    def wait(self, seconds: float) -> None:
        """Handle acknowledgements while waiting."""
        self._producer.poll(max(0, seconds))

    def flush(self) -> None:
        """Wait until all events are acknowledged."""
        self._producer.flush()

    def _key(self, kind: str) -> int:
        if kind != "new":
            return self._choice.randrange(self._keys)
        self._keys += 1
        return self._keys - 1

    def _acknowledge(self, line: dict[str, object]) -> Callable[[KafkaError | None, Message], None]:
        def acknowledged(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                raise RuntimeError(str(error))
            self.acknowledged += 1
            print(json.dumps({**line, "offset": message.offset()}), file=self._file)

        return acknowledged


def main() -> None:
    """Run the load of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("brokers")
    add("file", type=Path)
    add("--rate", type=float, required=True, help="events a second")
    add("--seconds", type=float, required=True)
    add("--keys", type=int, required=True, help=f"products in the table, from {FIRST_CODE}")
    add("--marker-every", type=int, required=True)
    add("--mixed", action="store_true")
    args = parser.parse_args()
    with args.file.open("w") as file:
        load = Load(args.brokers, file, keys=args.keys, marker_every=args.marker_every, mixed=args.mixed)
        started_at = time.time()
        while (now := time.time() - started_at) < args.seconds:
            if load.sent <= now * args.rate:
                load.send()
            else:
                load.wait(load.sent / args.rate - now)
        load.flush()
    print(
        json.dumps(
            {
                "sent": load.sent,
                "acknowledged": load.acknowledged,
                "seconds": time.time() - started_at,
                "cpu_seconds": time.process_time(),
            }
        )
    )


if __name__ == "__main__":
    main()
