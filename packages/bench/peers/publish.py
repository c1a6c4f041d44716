"""Publish the lines of files to the topic, as quickly as possible, in order and with offstream's settings.

Print one JSON object: `delivered`, `seconds`.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from record import HEADERS, TOPIC

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

_KEY = slice(9, 22)
"""Where `code` is in a line of events.py."""


class Counter:
    """Counts acknowledged messages."""

    def __init__(self) -> None:
        self.delivered = 0

    def __call__(self, error: KafkaError | None, _: Message) -> None:
        """Count a message; throw if it was not delivered."""
        if error is not None:
            raise RuntimeError(str(error))
        self.delivered += 1


def producer_of(brokers: str, **settings: object) -> Producer:
    """Return a producer with the guarantees and the compression of offstream's own."""
    return Producer(
        {
            "bootstrap.servers": brokers,
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "gzip",
            "compression.level": 1,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1_000_000,
            "batch.size": 900_000,
            "linger.ms": 20,
            **settings,
        }
    )


def main() -> None:
    """Publish the files of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("brokers")
    add("files", nargs="+", type=Path)
    args = parser.parse_args()
    counter = Counter()
    producer = producer_of(args.brokers)
    started_at = time.perf_counter()
    for file in args.files:
        with file.open("rb") as lines:
            for line in lines:
                publish(producer, line.rstrip(b"\n"), counter)
    producer.flush()
    print(json.dumps({"delivered": counter.delivered, "seconds": time.perf_counter() - started_at}))


def publish(producer: Producer, value: bytes, counter: Counter) -> None:
    """Add a message to the queue; wait while the queue is full."""
    while True:
        try:
            producer.produce(TOPIC, value, value[_KEY], headers=HEADERS, on_delivery=counter)
        except BufferError:
            producer.poll(0.1)
        else:
            producer.poll(0)
            return


if __name__ == "__main__":
    main()
