"""Each acknowledged message is in the tables once, however often the driver is killed.

`spark-jobs/check --kills` kills it ten times at each moment. Another process reads the tables.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from broker import BrokerTopic
from environment import lake_settings, until
from holdings import holdings
from kafka import Message, minutes, update
from lake import PRODUCTS, REJECTED
from offstream_jobs.checkpoint import Checkpoint

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

KILLS = int(os.environ.get("OFFSTREAM_KILLS", "1"))
SEED = int(os.environ.get("OFFSTREAM_SEED", str(random.randrange(1_000_000))))
EVENTS = 40


class History:
    """All published messages, and the tables that they must give."""

    def __init__(self, topic: BrokerTopic) -> None:
        """Publish nothing."""
        self._topic = topic
        self._random = random.Random(SEED)
        self._published = 0
        self.newest: dict[str, tuple[str, int]] = {}
        self.wrong: list[int] = []

    def publish(self) -> None:
        """Publish updates of few products, in any order of their times, and a wrong message."""
        messages = []
        for offset in range(self._published, self._published + EVENTS - 1):
            code, moment = f"{20_000_000 + self._random.randrange(25)}", minutes(self._random.randrange(5))
            messages.append(update(code=code, as_of=moment, product_name=f"at {offset}"))
            self.newest[code] = max(self.newest.get(code, ("", -1)), (moment, offset))
        self.wrong.append(self._published + EVENTS - 1)
        messages.append(Message(b"nutella", b"not a product"))
        self._topic.publish(*messages)
        self._published += EVENTS
        assert self._topic.end() == self._published


class Job:
    """The job in another process."""

    def __init__(self, topic: BrokerTopic, folder: Path, connectors: str) -> None:
        """Start nothing."""
        self.stop_file = folder / "job.stop"
        self.progress_file = folder / "job.progress.json"
        self._log = folder / "job.log"
        settings = {
            **lake_settings(folder),
            "spark.driver.extraClassPath": connectors,
            "spark.driver.memory": "700m",
            "spark.sql.shuffle.partitions": "1",
            "spark.ui.enabled": "false",
            "spark.sql.session.timeZone": "UTC",
        }
        words = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
        self._environment = {
            **os.environ,
            "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "PYSPARK_SUBMIT_ARGS": " ".join(("--master", "local[2]", *words, "pyspark-shell")),
        }
        self._command = [
            *(sys.executable, str(Path(__file__).with_name("killed_job.py"))),
            *("--brokers", topic.broker, "--topic", topic.name),
            *("--checkpoint", (folder / "checkpoint").as_uri(), "--progress", str(self.progress_file)),
            *("--stop-file", str(self.stop_file), "--optimize-file", str(folder / "job.optimize")),
            *("--trigger-ms", "0", "--max-offsets-per-trigger", "25"),
        ]

    def run(self, kill_at: str) -> int:
        """Run until the job exits. Returns its exit status."""
        with self.start(kill_at) as process:
            return process.wait(timeout=180)

    def start(self, kill_at: str) -> subprocess.Popen[bytes]:
        """Start the job in its own process group."""
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                env={**self._environment, "KILL_AT": kill_at},
                start_new_session=True,
                stdout=log,
                stderr=log,
            )

    def offset(self, topic: str) -> int:
        """Return the reported offset; 0 before the first report."""
        reported: dict[str, Any] = (
            json.loads(self.progress_file.read_text()) if self.progress_file.exists() else {"offsets": {}}
        )
        offset: int = reported["offsets"].get(topic, {}).get("0", 0)
        return offset


def test_kills_before_during_and_after_the_commit_of_the_tables_neither_lose_nor_duplicate_messages(
    bare_lake: SparkSession, broker: str, connectors: str, tmp_path: Path
) -> None:
    # Load the catalog with the settings of this session; `holdings` would use those of the session used last.
    bare_lake.sql("SHOW NAMESPACES IN lake").collect()
    topic = BrokerTopic(bare_lake, broker)
    history, job = History(topic), Job(topic, tmp_path, connectors)
    checkpoint = Checkpoint(bare_lake, (tmp_path / "checkpoint").as_uri())

    def behind() -> int:
        """Return by how many offsets the checkpoint is behind the table."""
        in_table = holdings(bare_lake).contents.offsets.get(topic.name, {}).get("0", 0)
        return in_table - checkpoint.committed().get(topic.name, {}).get("0", 0)

    last_behind = 0
    for kill in range(KILLS):
        history.publish()
        assert job.run("before") == -signal.SIGKILL
        assert behind() == last_behind, f"kill {kill}, seed {SEED}"
        assert job.run(f"{random.Random(SEED + kill).uniform(0, 1.5):.3f}") == -signal.SIGKILL
        # The job may have read everything before it was killed.
        history.publish()
        assert job.run("after") == -signal.SIGKILL
        last_behind = behind()
        assert last_behind > 0, f"kill {kill}, seed {SEED}"

    with job.start("never") as process:
        until(lambda: job.offset(topic.name) == topic.end())
        job.stop_file.touch()
        assert process.wait(timeout=60) == 0
    rows = bare_lake.table(PRODUCTS).collect()
    assert sorted((row.code, row.product_name) for row in rows) == sorted(
        (code, f"at {offset}") for code, (_, offset) in history.newest.items()
    ), f"seed {SEED}"
    rejected = bare_lake.table(REJECTED).collect()
    assert sorted(row.kafka_offset for row in rejected) == history.wrong, f"seed {SEED}"
    assert behind() == 0
    topic.close()
