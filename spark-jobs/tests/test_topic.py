"""With a real broker: no message is lost silently, and only a loss stops the stream."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from broker import BrokerTopic
from environment import until
from holdings import holdings
from kafka import Message, update
from lake import PRODUCTS, Tables, ensure_tables
from offstream_jobs.batches import Batches, kafka_messages, start, supervise
from offstream_jobs.checkpoint import Checkpoint
from offstream_jobs.progress import Progress
from offstream_jobs.topic import (
    DataLossError,
    Topic,
    TopicState,
    Watch,
    client_settings,
    connected,
    refuse_loss,
)
from stream import begin_watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

T = "of topic `t`"
UNREAD = "offsets were deleted unread"
STATE = TopicState("t", "id-1", first={"0": 5, "1": 0}, end={"0": 9, "1": 0})


def test_settings_of_the_client_refer_to_the_file_with_the_secrets(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("security.protocol=SSL\nssl.keystore.key=-----BEGIN\\n=secret=\n")
    provider = "org.apache.kafka.common.config.provider.FileConfigProvider"
    assert client_settings(file) == {
        "config.providers": "file",
        "config.providers.file.class": provider,
        "security.protocol": f"${{file:{file}:security.protocol}}",
        "ssl.keystore.key": f"${{file:{file}:ssl.keystore.key}}",
    }
    assert client_settings(None) == {}


@pytest.mark.parametrize("held", [None, {"0": 5, "1": 0}, {"0": 9, "1": 0}, {"0": 7}])
def test_offsets_between_the_first_and_the_end_are_not_a_loss(held: dict[str, int] | None) -> None:
    refuse_loss(STATE, "id-1", held)
    refuse_loss(STATE, None, held)


@pytest.mark.parametrize(
    ("topic_id", "held", "reason", "continue_at"),
    [
        (
            *("id-0", {"0": 9, "1": 0}),
            "topic `t` was deleted and created again: its id is id-1, was id-0",
            {"0": 5, "1": 0},
        ),
        (
            *("id-1", {"0": 2, "1": 0}),
            f"partition 0 {T} starts at offset 5, but the stream has read up to 2: 3 {UNREAD}",
            {"0": 5, "1": 0},
        ),
        (
            *("id-1", {"1": 0}),
            f"partition 0 {T} starts at offset 5, but the stream has read up to 0: 5 {UNREAD}",
            {"0": 5, "1": 0},
        ),
        (
            *("id-1", {"0": 7, "1": 3}),
            f"partition 1 {T} ends at offset 0, but the stream has read up to 3: the broker lost messages",
            {"0": 7, "1": 0},
        ),
    ],
    ids=["another topic", "deleted messages", "deleted messages of a new partition", "beyond the end"],
)
def test_a_loss_has_a_reason_and_offsets_at_which_the_stream_can_continue(
    topic_id: str, held: dict[str, int], reason: str, continue_at: dict[str, int]
) -> None:
    with pytest.raises(DataLossError) as found:
        refuse_loss(STATE, topic_id, held)
    assert str(found.value) == reason
    assert found.value.details == {"topicId": "id-1", "offsets": {"t": continue_at}}


class Job:
    """The job on a new topic."""

    def __init__(self, lake: SparkSession, topic: BrokerTopic, folder: Path) -> None:
        """Create no files and start no query."""
        self.lake = lake
        self.topic = topic
        self.folder = folder
        self.checkpoint = Checkpoint(lake, (folder / "checkpoint").as_uri())
        self.stop_file = folder / "job.stop"
        self.progress = Progress(folder / "job.progress.json")

    def run(self, max_offsets: int = 100, batches: type[Batches] = Batches) -> None:
        """Run until the stop file appears or the job fails."""
        with connected(self.lake, self.topic.broker, self.topic.name) as topic:
            self.checkpoint.verify(self.topic.name)
            watch = begin_watch(topic, self.checkpoint, self.lake, self.progress)
            written = batches(Tables(self.lake), self.stop_file, self.checkpoint, watch)
            messages = kafka_messages(self.lake, self.topic.broker, self.topic.name, max_offsets)
            query = start(messages, written, (self.folder / "checkpoint").as_uri(), 100, "job")
            try:
                supervise(query, written, self.stop_file, self.progress)
            finally:
                query.stop()

    def run_until_read(self) -> None:
        """Run until all published messages are read."""
        with running(self):
            until(lambda: self.held() == self.topic.end())

    def held(self) -> int:
        """Return the offset of the next message to read; 0 if the query has never committed."""
        return self.checkpoint.committed().get(self.topic.name, {}).get("0", 0)

    def codes(self) -> list[str]:
        """Return the codes of all rows."""
        return [row.code for row in self.lake.table(PRODUCTS).orderBy("code").collect()]


@contextmanager
def running(job: Job) -> Iterator[threading.Thread]:
    """Run a job in a thread and stop it at the end. Throws its error."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            job.run()
        except Exception as error:  # noqa: BLE001 - thrown below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        job.stop_file.touch()
        thread.join(timeout=120)
        job.stop_file.unlink()
    for error in errors:
        raise error


@pytest.fixture
def job(lake: SparkSession, broker: str, tmp_path: Path) -> Iterator[Job]:
    topic = BrokerTopic(lake, broker)
    yield Job(lake, topic, tmp_path)
    topic.close()


def products(first: int, end: int) -> list[Message]:
    return [update(code=f"{20_000_000 + number}") for number in range(first, end)]


def codes(first: int, end: int) -> list[str]:
    return [f"{20_000_000 + number}" for number in range(first, end)]


def recreate_topic_of_running(job: Job) -> None:
    with running(job) as thread:
        until(lambda: job.held() == job.topic.end())
        job.topic.delete()
        job.topic.create()
        job.topic.publish(*products(10, 13))
        until(lambda: not thread.is_alive())


def test_a_topic_that_is_created_again_while_the_job_is_idle_fails_the_job(job: Job) -> None:
    job.topic.publish(*products(0, 10))
    with pytest.raises(DataLossError, match="was deleted and created again"):
        recreate_topic_of_running(job)

    assert (job.codes(), job.held()) == (codes(0, 10), 10)
    with pytest.raises(DataLossError, match="was deleted and created again") as again:
        job.run()
    assert again.value.details is not None
    assert again.value.details["offsets"] == {job.topic.name: {"0": 0}}


def test_messages_that_are_deleted_while_the_job_reads_others_fail_the_job(job: Job) -> None:
    job.topic.publish(*products(0, 10))

    class Interrupted(Batches):
        """Messages of later batches are deleted while the second batch is written."""

        def __call__(self, batch: DataFrame, batch_id: int) -> None:
            """Write the batch."""
            if batch_id == 1:
                job.topic.delete_before(7)
            super().__call__(batch, batch_id)

    with pytest.raises(DataLossError, match="starts at offset 7, but the stream has read up to 2: 5 "):
        job.run(max_offsets=2, batches=Interrupted)
    assert job.held() == 2
    assert holdings(job.lake).contents.offsets == {job.topic.name: {"0": 2}}, (
        "the table does not claim the lost messages"
    )


def test_messages_that_retention_deletes_before_they_are_read_fail_the_next_start(job: Job) -> None:
    job.topic = BrokerTopic(job.lake, job.topic.broker, segment_bytes="1000", retention_bytes="1500")
    job.topic.publish(*products(0, 3))
    job.run_until_read()
    job.topic.publish(*products(3, 20))
    until(lambda: job.topic.first() > 3)

    with pytest.raises(DataLossError, match="offsets were deleted unread"):
        job.run()


def test_offsets_beyond_the_end_fail_the_start(job: Job) -> None:
    job.topic.publish(*products(0, 3))
    job.run_until_read()
    offsets = job.folder / "checkpoint" / "offsets" / "0"
    (offsets.parent / ".0.crc").unlink(missing_ok=True)
    offsets.write_text(offsets.read_text().replace('{"0":3}', '{"0":100}'))

    with pytest.raises(DataLossError, match=r"ends at offset 3, but the stream has read up to 100"):
        job.run()


def test_a_deleted_checkpoint_is_not_a_loss_unless_the_topic_lacks_what_the_table_does_not_contain(
    job: Job,
) -> None:
    job.topic.publish(*products(0, 4))
    job.run_until_read()
    job.topic.publish(*products(4, 9))
    job.topic.delete_before(4)
    (job.folder / "checkpoint").rename(job.folder / "first")
    job.run_until_read()
    assert job.codes() == codes(0, 9)

    job.topic.publish(*products(9, 12))
    job.topic.delete_before(10)
    (job.folder / "checkpoint").rename(job.folder / "second")
    with pytest.raises(DataLossError, match="starts at offset 10, but the stream has read up to 9: 1 "):
        job.run()


def test_gaps_of_compaction_are_not_a_loss(job: Job) -> None:
    job.topic = BrokerTopic(
        *(job.lake, job.topic.broker),
        cleanup_policy="compact",
        segment_bytes="2000",
        min_cleanable_dirty_ratio="0",
    )
    job.topic.publish(*products(0, 1))
    job.run_until_read()
    for _ in range(8):
        job.topic.publish(*products(0, 5))
    until(lambda: len(offsets_of(job)) < 30)

    job.run_until_read()

    assert (job.topic.first(), job.held(), job.codes()) == (0, 41, codes(0, 5))


def offsets_of(job: Job) -> list[int]:
    topic = job.lake.read.format("kafka").option("kafka.bootstrap.servers", job.topic.broker)
    rows = topic.option("subscribe", job.topic.name).option("failOnDataLoss", "false").load()
    return [row.offset for row in rows.select("offset").collect()]


def test_the_job_continues_if_the_broker_is_not_reachable_for_a_check(lake: SparkSession) -> None:
    with connected(lake, "127.0.0.1:9", "any") as topic:
        assert topic.describe_if_reachable() is None


class Unreliable(Topic):
    """A topic whose broker does not always respond."""

    def __init__(self, state: TopicState) -> None:
        """Connect to no broker."""
        self.state: TopicState | None = state

    def describe_if_reachable(self) -> TopicState | None:
        """Return what the test has set."""
        return self.state


def test_messages_that_were_read_may_be_deleted_although_the_broker_did_not_respond_to_one_check() -> None:
    topic = Unreliable(STATE)
    watch = Watch(topic, "id-1", {"t": {"0": 5, "1": 0}})
    topic.state = None
    watch.read({"t": {"0": 9, "1": 0}})
    topic.state = STATE
    watch.check()
    topic.state = replace(STATE, first={"0": 9, "1": 0})
    watch.check()


def test_a_batch_of_which_messages_were_missing_fails_the_next_check_that_the_broker_responds_to() -> None:
    topic = Unreliable(STATE)
    watch = Watch(topic, "id-1", {"t": {"0": 5, "1": 0}})
    topic.state = None
    watch.read({"t": {"0": 9, "1": 0}})
    topic.state = replace(STATE, first={"0": 7, "1": 0})
    with pytest.raises(DataLossError, match="2 offsets were deleted unread"):
        watch.check()


def test_a_checkpoint_of_another_table_is_refused(job: Job) -> None:
    job.topic.publish(*products(0, 2))
    job.run_until_read()
    job.lake.sql(f"DROP TABLE {PRODUCTS}")
    ensure_tables(job.lake)
    with pytest.raises(Exception, match="belongs to another table"):
        job.run()


def test_each_snapshot_has_the_id_of_the_topic(job: Job) -> None:
    job.topic.publish(*products(0, 2))
    job.run_until_read()
    [snapshot] = job.lake.table(f"{PRODUCTS}.snapshots").collect()
    owner = job.checkpoint.owner()
    assert owner is not None
    assert snapshot.summary["offstream.topic-id"] == owner.topic_id
    assert json.loads(snapshot.summary["offstream.offsets"]) == {job.topic.name: {"0": 2}}


def test_a_checkpoint_that_repair_has_written_continues_at_its_offsets(job: Job) -> None:
    job.topic.publish(*products(0, 5))
    # As `packages/pipeline/src/lake/checkpoint.ts` writes it.
    metadata = '{"batchWatermarkMs":0,"batchTimestampMs":0,"conf":{}}'
    files = {
        "metadata": '{"id":"0a0e4f0c-52a5-4a8e-9d6b-1f3f6a3e3f0e"}',
        "offsets/0": f'v1\n{metadata}\n{{"{job.topic.name}":{{"0":3}}}}',
        "commits/0": 'v1\n{"nextBatchWatermarkMs":0}',
        "offstream.json": '{"version":1,"topicId":null,"tableId":null}\n',
    }
    for name, text in files.items():
        file = job.folder / "checkpoint" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    job.run_until_read()

    assert (job.codes(), job.held()) == (codes(3, 5), 5)
    owner = job.checkpoint.owner()
    assert owner is not None
    assert None not in owner
