"""The peer of a streaming library: quixstreams reads the topic, delta-rs writes the table.

Print one JSON object with the `seconds` from the start of the application to the last commit.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from quixstreams import Application
from quixstreams.sinks import BatchingSink

from native import table_of, upsert
from record import TOPIC

if TYPE_CHECKING:
    from quixstreams.sinks import SinkBatch


class DeltaSink(BatchingSink):
    """Writes each batch of a checkpoint with delta-rs."""

    def __init__(self, table: Path) -> None:
        super().__init__()
        self._table = table
        self.finished_at = 0.0

    def write(self, batch: SinkBatch) -> None:
        """Upsert the messages of a batch."""
        upsert(self._table, table_of([(item.value, item.offset) for item in batch]))
        self.finished_at = time.perf_counter()


def main() -> None:
    """Run the peer of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("brokers")
    add("table", type=Path)
    add("--events", type=int, required=True)
    args = parser.parse_args()
    logging.disable(logging.INFO)
    application = Application(
        broker_address=args.brokers,
        consumer_group=f"quix-{args.table}",
        auto_offset_reset="earliest",
        auto_create_topics=False,
        commit_interval=3_600,
        commit_every=max(1, args.events // 3),
        state_dir=str(args.table.parent / "state"),
    )
    sink = DeltaSink(args.table)
    topic = application.topic(TOPIC, value_deserializer="bytes", key_deserializer="bytes")
    application.dataframe(topic).sink(sink)
    started_at = time.perf_counter()
    application.run(count=args.events)
    print(json.dumps({"seconds": sink.finished_at - started_at}))


if __name__ == "__main__":
    main()
