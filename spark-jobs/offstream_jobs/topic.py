"""What the broker reports about the topic, and whether messages were lost.

Spark's Kafka source cannot do this. With `failOnDataLoss` it treats each gap of compaction as a loss. Without
it, it continues silently, also with another topic of the same name.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from py4j.java_gateway import is_instance_of
from py4j.protocol import Py4JJavaError

from offstream_jobs.checkpoint import Owner
from offstream_jobs.program import StreamError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from offstream_jobs.checkpoint import Checkpoint, Offsets
    from offstream_jobs.iceberg import Contents

Partitions: TypeAlias = dict[str, int]
"""Partition → an offset."""

_START_TIMEOUT_MS = 60_000
_CHECK_TIMEOUT_MS = 2_000
_UNKNOWN_TOPIC_SECONDS = 10
_PAUSE_SECONDS = 0.2
_FILE_PROVIDER = "org.apache.kafka.common.config.provider.FileConfigProvider"

_DENIALS = {
    "SslAuthentication": "CERTIFICATE_REJECTED",
    "Authentication": "AUTHENTICATION_FAILED",
    "Authorization": "ACCESS_DENIED",
}
"""The code of the user's error for each kind of Kafka's errors, the specific ones first."""


@dataclass(frozen=True)
class TopicState:
    """A topic as the broker describes it."""

    name: str
    topic_id: str
    """A topic that is deleted and created again gets another id."""
    first: Partitions
    """The offsets of the first messages. Retention and `deleteRecords` move them, compaction does not."""
    end: Partitions
    """The offsets after the last messages."""


class DataLossError(StreamError):
    """Messages were lost before the stream read them."""

    code = "KAFKA_DATA_LOSS"

    def __init__(self, reason: str, state: TopicState, continue_at: Partitions) -> None:
        """`continue_at`: the offsets at which the stream continues if the user accepts the loss."""
        super().__init__(reason)
        self.details = {"topicId": state.topic_id, "offsets": {state.name: continue_at}}


class DeniedError(StreamError):
    """The cluster rejects the certificate, the user or the access to the topic, or the token is missing."""

    def __init__(self, code: str, error: Py4JJavaError) -> None:
        """`code` is that of the user's error."""
        super().__init__(one_line(error))
        self.code = code


class Topic:
    """The topic on the broker."""

    def __init__(
        self, spark: SparkSession, brokers: str, name: str, client: dict[str, str] | None = None
    ) -> None:
        """Connect when the topic is first described. `client`: see `client_settings`."""
        java: Any = spark._jvm
        self._java = java
        self._gateway: Any = spark.sparkContext._gateway
        self._name = name
        settings = java.java.util.HashMap()
        settings.put("bootstrap.servers", brokers)
        settings.put("client.id", "offstream-check")
        for key, value in (client or {}).items():
            settings.put(key, value)
        try:
            self._admin = java.org.apache.kafka.clients.admin.Admin.create(settings)
        except Py4JJavaError as error:
            if self._is_failed_login(error):
                raise DeniedError("TOKEN_FAILED", error) from error
            raise

    def describe(self) -> TopicState:
        """Request a description from the broker.

        A broker that has just started may not know its topics yet, so this waits ten seconds for the topic.
        """
        deadline = time.monotonic() + _UNKNOWN_TOPIC_SECONDS
        while True:
            try:
                return self._describe(_START_TIMEOUT_MS)
            except Py4JJavaError as error:
                self._refuse_denial(error)
                if time.monotonic() > deadline or not self._is_caused_by("UnknownTopicOrPartition", error):
                    raise
            time.sleep(_PAUSE_SECONDS)

    def describe_if_reachable(self) -> TopicState | None:
        """Like `describe`; None if the broker does not respond within two seconds or has no such topic."""
        try:
            return self._describe(_CHECK_TIMEOUT_MS)
        except Py4JJavaError as error:
            if self._is_caused_by("Retriable", error):
                return None
            self._refuse_denial(error)
            raise

    def close(self) -> None:
        """Disconnect, also from a broker that does not respond."""
        self._admin.close(self._java.java.time.Duration.ofSeconds(2))

    def _describe(self, timeout_ms: int) -> TopicState:
        admin, java = self._java.org.apache.kafka.clients.admin, self._java
        names = java.java.util.List.of(self._name)
        options = admin.DescribeTopicsOptions().timeoutMs(timeout_ms)
        described = self._admin.describeTopics(names, options).topicNameValues().get(self._name).get()
        partitions = [partition.partition() for partition in described.partitions()]
        return TopicState(
            name=self._name,
            topic_id=described.topicId().toString(),
            first=self._offsets(partitions, admin.OffsetSpec.earliest(), timeout_ms),
            end=self._offsets(partitions, admin.OffsetSpec.latest(), timeout_ms),
        )

    def _refuse_denial(self, error: Py4JJavaError) -> None:
        for kind, code in _DENIALS.items():
            if self._is_caused_by(kind, error):
                raise DeniedError(code, error) from error

    def _is_caused_by(self, kind: str, error: Py4JJavaError) -> bool:
        """Whether the cause is one of Kafka's errors of this kind, for example `Retriable`."""
        cause = error.java_exception.getCause()
        name = f"org.apache.kafka.common.errors.{kind}Exception"
        return cause is not None and bool(is_instance_of(self._gateway, cause, name))

    def _is_failed_login(self, error: Py4JJavaError) -> bool:
        """Whether a cause is a failed login: before a client connects, only that with a token can fail."""
        cause = error.java_exception.getCause()
        while cause is not None:
            if is_instance_of(self._gateway, cause, "javax.security.auth.login.LoginException"):
                return True
            cause = cause.getCause()
        return False

    def _offsets(self, partitions: list[int], which: object, timeout_ms: int) -> Partitions:
        java = self._java
        request = java.java.util.HashMap()
        keys = {
            partition: java.org.apache.kafka.common.TopicPartition(self._name, partition)
            for partition in partitions
        }
        for key in keys.values():
            request.put(key, which)
        options = java.org.apache.kafka.clients.admin.ListOffsetsOptions().timeoutMs(timeout_ms)
        result = self._admin.listOffsets(request, options)
        return {str(partition): result.partitionResult(key).get().offset() for partition, key in keys.items()}


def client_settings(properties: Path | None) -> dict[str, str]:
    """Return the settings with which a client of Kafka reads TLS and SASL from a file of properties.

    Spark logs the settings, shows them in plans and stores them. So they contain references to the file, and
    only the clients in the driver and in the executors read its passwords and keys.
    """
    if properties is None:
        return {}
    names = [line.split("=", 1)[0] for line in properties.read_text(encoding="ascii").splitlines()]
    provider = {"config.providers": "file", "config.providers.file.class": _FILE_PROVIDER}
    return provider | {name: f"${{file:{properties}:{name}}}" for name in names}


@contextmanager
def connected(
    spark: SparkSession, brokers: str, name: str, client: dict[str, str] | None = None
) -> Iterator[Topic]:
    """Connect to the brokers and disconnect at the end."""
    topic = Topic(spark, brokers, name, client)
    try:
        yield topic
    finally:
        topic.close()


class Watch:
    """Compares the topic with what the stream has read. Two threads may use it."""

    def __init__(self, topic: Topic, topic_id: str, held: Offsets) -> None:
        """`held`: the offsets of the next messages; empty if none was ever read."""
        self._topic = topic
        self._topic_id = topic_id
        self._held = held
        self._read = held
        self._lock = threading.Lock()

    def check(self) -> None:
        """Throw DataLossError if messages were lost. A broker that does not respond is not a loss."""
        with self._lock:
            self._check()

    def read(self, offsets: Offsets) -> None:
        """Check after all messages of a batch were read and before they are written.

        The first offsets only grow. So if they are before the batch now, they were when it was read, and no
        message of it was missing. If the broker does not respond, the next check also covers this batch.
        """
        with self._lock:
            self._read = offsets
            self._check()

    def _check(self) -> None:
        state = self._topic.describe_if_reachable()
        if state is None:
            return
        refuse_loss(state, self._topic_id, self._held.get(state.name))
        # All of it was there, so it may be deleted from now on.
        self._held = self._read


def watched(topic: Topic, checkpoint: Checkpoint, table: Contents) -> Watch:
    """Throw unless checkpoint, table and topic belong together and no unread message is lost."""
    state = topic.describe()
    checkpoint.refuse_other_table(table.table_id)
    held = checkpoint.committed()
    if held:
        owner = checkpoint.owner()
        refuse_loss(state, owner and owner.topic_id, held[state.name])
    elif table.topic_id == state.topic_id:
        # The checkpoint was deleted. The topic must have every message that the table lacks.
        refuse_loss(state, state.topic_id, table.offsets.get(state.name))
    checkpoint.own(Owner(state.topic_id, table.table_id))
    return Watch(topic, state.topic_id, held)


def refuse_loss(state: TopicState, topic_id: str | None, held: Partitions | None) -> None:
    """Throw DataLossError if the topic cannot contain everything after the offsets `held`.

    If `topic_id` is None, it is unknown. Without `held`, nothing was read yet, so nothing can be missing.
    """
    if topic_id is not None and state.topic_id != topic_id:
        raise DataLossError(
            f"topic `{state.name}` was deleted and created again: its id is {state.topic_id}, was {topic_id}",
            state,
            state.first,
        )
    if held is None:
        return
    reasons = {partition: _reason(state, partition, held) for partition in state.first}
    lost = {partition: reason for partition, reason in reasons.items() if reason is not None}
    if lost:
        kept = {partition: held.get(partition, first) for partition, first in state.first.items()}
        continue_at = kept | {partition: state.first[partition] for partition in lost}
        raise DataLossError("; ".join(lost.values()), state, continue_at)


def _reason(state: TopicState, partition: str, held: Partitions) -> str | None:
    where = f"partition {partition} of topic `{state.name}`"
    # A partition that was added later was not read yet.
    position, first, end = held.get(partition, 0), state.first[partition], state.end[partition]
    if position < first:
        return (
            f"{where} starts at offset {first}, but the stream has read up to {position}: "
            f"{first - position} offsets were deleted unread"
        )
    if position > end:
        return (
            f"{where} ends at offset {end}, but the stream has read up to {position}: "
            "the broker lost messages"
        )
    return None
