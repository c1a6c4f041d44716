"""A real broker on a free port, and topics on it. It needs no ZooKeeper."""

from __future__ import annotations

import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from environment import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from kafka import Message

_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
log.dirs={folder}/data
offsets.topic.replication.factor=1
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=33554432
log.cleaner.backoff.ms=100
log.initial.task.delay.ms=100
log.retention.check.interval.ms=100
"""


@contextmanager
def running_broker(folder: Path, libraries: str) -> Iterator[str]:
    """Start Kafka from a folder of jars and stop it at the end. Yields its address."""
    port, controller = _free_port(), _free_port()
    properties = folder / "kafka.properties"
    properties.write_text(_PROPERTIES.format(port=port, controller=controller, folder=folder))
    java = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{libraries}/*"]
    storage = ["kafka.tools.StorageTool", "format", "--config", str(properties)]
    subprocess.run(
        [*java, *storage, "--cluster-id", "AAAAAAAAAAAAAAAAAAAAAQ"], check=True, capture_output=True
    )
    log = (folder / "kafka.log").open("w")
    process = subprocess.Popen([*java, "kafka.Kafka", str(properties)], stdout=log, stderr=log, cwd=folder)
    try:
        until(lambda: _accepts(port))
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        log.close()


class BrokerTopic:
    """A topic with a new name."""

    def __init__(self, spark: SparkSession, broker: str, **settings: str) -> None:
        """Create the topic. Settings are Kafka's, with underscores for dots."""
        java: Any = spark._jvm
        self._java = java
        self._gateway: Any = spark.sparkContext._gateway
        self._kafka = java.org.apache.kafka
        self._config = java.java.util.HashMap()
        self._config.put("bootstrap.servers", broker)
        self._settings = settings
        self._admin = self._kafka.clients.admin.Admin.create(self._config)
        self.broker = broker
        self.name = f"products-{uuid4().hex[:8]}"
        self.create()

    def create(self) -> None:
        """Create the topic with one partition."""
        settings = self._java.java.util.HashMap()
        for name, value in self._settings.items():
            settings.put(name.replace("_", "."), value)
        none = self._java.java.util.Optional.empty()
        one = self._java.java.util.Optional.of(1)
        topic = self._kafka.clients.admin.NewTopic(self.name, one, none).configs(settings)
        self._admin.createTopics(self._java.java.util.List.of(topic)).all().get()
        until(self.exists)

    def delete(self) -> None:
        """Delete the topic."""
        self._admin.deleteTopics(self._java.java.util.List.of(self.name)).all().get()
        until(lambda: not self.exists())

    def exists(self) -> bool:
        """Whether the broker lists the topic."""
        found: bool = self._admin.listTopics().names().get().contains(self.name)
        return found

    def publish(self, *messages: Message) -> None:
        """Publish messages, each in a separate batch, and wait until the broker has acknowledged them."""
        bytes_as_is = self._kafka.common.serialization.ByteArraySerializer()
        # The broker rejects a batch that is larger than a segment, and a test can have small segments.
        config = self._java.java.util.HashMap(self._config)
        config.put("batch.size", "0")
        producer = self._kafka.clients.producer.KafkaProducer(config, bytes_as_is, bytes_as_is)
        sent = []
        for message in messages:
            value = None if message.value is None else bytearray(message.value)
            key = None if message.key is None else bytearray(message.key)
            sent.append(producer.send(self._kafka.clients.producer.ProducerRecord(self.name, key, value)))
        producer.close()
        for each in sent:
            each.get()

    def delete_before(self, offset: int) -> None:
        """Delete the messages before an offset."""
        # By reflection: py4j may take the method of the same name that is not static.
        kind = self._java.java.lang.Class.forName("org.apache.kafka.clients.admin.RecordsToDelete")
        arguments = self._gateway.new_array(self._java.Object, 1)
        arguments[0] = offset
        call = self._java.org.apache.commons.lang3.reflect.MethodUtils.invokeStaticMethod
        before = call(kind, "beforeOffset", arguments)
        request = self._java.java.util.Map.of(self._partition(), before)
        self._admin.deleteRecords(request).all().get()

    def first(self) -> int:
        """Return the offset of the first message."""
        return self._offset(self._kafka.clients.admin.OffsetSpec.earliest())

    def end(self) -> int:
        """Return the offset after the last message."""
        return self._offset(self._kafka.clients.admin.OffsetSpec.latest())

    def close(self) -> None:
        """Disconnect."""
        self._admin.close()

    def _offset(self, which: object) -> int:
        partition = self._partition()
        request = self._java.java.util.Map.of(partition, which)
        found: int = self._admin.listOffsets(request).partitionResult(partition).get().offset()
        return found

    def _partition(self) -> object:
        return self._kafka.common.TopicPartition(self.name, 0)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
