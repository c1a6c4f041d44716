"""The checkpoint of Spark: how far the query has read.

Spark writes `offsets/N` when it plans batch N and `commits/N` when the batch is done. A file of offsets has a
line with the version, a line of metadata, then a line of JSON for each source. `metadata` has the id of the
query. `offstream.json`, which Spark ignores, names the topic and the table that the offsets belong to. The
files are read and written through Hadoop, since a checkpoint may be on hdfs:// or s3://.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from py4j.protocol import Py4JJavaError

from offstream_jobs.program import StreamError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import SparkSession

Offsets: TypeAlias = dict[str, dict[str, int]]
"""Topic → partition → the offset of the next message to read."""

_OWNER = "offstream.json"


class Owner(NamedTuple):
    """The topic and the table that a checkpoint belongs to. Their names are not unique over time.

    None means unknown: `offstream repair` leaves it to the next start of the job.
    """

    topic_id: str | None
    table_id: str | None


class CheckpointDamagedError(StreamError):
    """The query cannot continue from the checkpoint."""

    code = "CHECKPOINT_DAMAGED"


class Checkpoint:
    """The checkpoint of a query with one source.

    While the query runs, only `planned` and `properties` may be used.
    """

    def __init__(self, spark: SparkSession, location: str) -> None:
        """`location` is a folder or a URI, which does not have to exist yet."""
        jvm: Any = spark._jvm
        self._java, self._hadoop = jvm.java, jvm.org.apache.hadoop
        self._path = self._hadoop.fs.Path
        self._text = jvm.org.apache.commons.io.IOUtils.toString
        self._folder = self._path(location)
        self._files = self._folder.getFileSystem(spark._jsc.hadoopConfiguration())
        self._location = location
        self._identity: dict[str, str] | None = None

    def committed(self) -> Offsets:
        """Return the offsets after the last batch that is done; an empty dict if no batch is."""
        done = self._batches("commits")
        return self.planned(max(done)) if done else {}

    def planned(self, batch_id: int) -> Offsets:
        """Return the offsets after a batch that is planned or done."""
        return _offsets(self._read(f"offsets/{batch_id}"))

    def properties(self, batch_id: int) -> dict[str, str]:
        """Return the properties of the snapshots of a planned batch; `offstream repair` reads them.

        The offsets are those after the batch: all messages before them are in the tables.
        """
        if self._identity is None:
            owner = self.owner()
            self._identity = {
                "offstream.query-id": json.loads(self._read("metadata"))["id"],
                **({"offstream.topic-id": owner.topic_id} if owner and owner.topic_id else {}),
            }
        return {
            **self._identity,
            "offstream.batch-id": str(batch_id),
            "offstream.offsets": json.dumps(self.planned(batch_id), separators=(",", ":")),
        }

    def owner(self) -> Owner | None:
        """Return what `own` wrote; None for a new checkpoint and for one of an older version."""
        if not self._exists(_OWNER):
            return None
        fields = json.loads(self._read(_OWNER))
        return Owner(fields["topicId"], fields["tableId"])

    def own(self, owner: Owner) -> None:
        """Write which topic and which table the checkpoint belongs to."""
        if self.owner() == owner:
            return
        text = json.dumps({"version": 1, "topicId": owner.topic_id, "tableId": owner.table_id}) + "\n"
        temporary, file = self._path(self._folder, f"{_OWNER}.tmp"), self._path(self._folder, _OWNER)
        created = self._files.create(temporary, True)
        try:
            created.write(bytearray(text.encode()))
        finally:
            created.close()
        self._files.delete(file, False)
        self._rename(temporary, file)

    def adopt(self, replacement: Path) -> None:
        """Move a checkpoint from a local folder to this place, if the folder exists.

        `offstream repair` and `offstream reset` write it there, because they cannot write to a remote file
        system. With an empty one the query begins at the first message. The previous checkpoint stays, with
        the suffix `.replaced`. If the job is killed, the next start does the same again.
        """
        if not replacement.is_dir():
            return
        replaced = self._path(f"{self._location}.replaced")
        if self._files.exists(self._folder):
            self._files.delete(replaced, True)
            self._rename(self._folder, replaced)
        new = self._path(f"{self._location}.new")
        self._files.delete(new, True)
        local = self._java.io.File(str(replacement))
        self._hadoop.fs.FileUtil.copy(local, self._files, new, False, self._files.getConf())
        self._rename(new, self._folder)
        # In one step: a part of it, left by a job that was killed, would be taken for a new one.
        adopted = replacement.with_name(f"{replacement.name}.adopted")
        shutil.rmtree(adopted, ignore_errors=True)
        replacement.rename(adopted)
        shutil.rmtree(adopted)

    def _rename(self, source: Any, target: Any) -> None:  # noqa: ANN401 - Hadoop's paths
        # HDFS does not throw if it refuses.
        if not self._files.rename(source, target):
            raise OSError(f"`{source.toString()}` could not be renamed to `{target.toString()}`")

    def verify(self, topic: str) -> None:
        """Throw CheckpointDamagedError unless the query can continue at offsets of this topic.

        Spark's own errors name neither the file nor the remedy, and the job would fail again at each start. A
        checkpoint without any file is not damaged: the query reads the topic from its beginning.
        """
        done, planned = self._batches("commits"), self._batches("offsets")
        last = max(done, default=-1)
        if self._exists(_OWNER):
            self._checked(_OWNER, lambda _: self.owner())
        if (done or planned) or self._exists("metadata"):
            self._checked("metadata", lambda text: json.loads(text)["id"])
        if max(planned, default=-1) > last + 1:
            raise self._damaged(f"commits/{max(planned) - 1}", "does not exist")
        if not done:
            return
        self._checked(f"commits/{last}", _commit)
        # Spark also reads the offsets before the last ones.
        for batch in range(max(0, last - 1), last + 1):
            self._checked(f"offsets/{batch}", lambda text: _offsets(text).keys())
        topics = sorted(self.committed())
        if topics != [topic]:
            raise self._damaged(f"offsets/{last}", f"has offsets of {topics}, not of `{topic}`")

    def refuse_other_table(self, table_id: str) -> None:
        """Throw CheckpointDamagedError if the rows of these offsets are in another table."""
        owner = self.owner()
        if owner is not None and owner.table_id not in (None, table_id):
            raise CheckpointDamagedError(
                f"the checkpoint `{self._location}` belongs to another table: the table of its messages was "
                "dropped or replaced"
            )

    def delete_uncommitted(self) -> None:
        """Delete the plan of a batch that a killed job left undone, so that Spark plans it again.

        Use this only for a query whose batches may run twice. If Spark 4.1.1 runs such a batch from its plan,
        the query fails at the end of the batch with a NullPointerException in KafkaMicroBatchStream.metrics
        (SPARK-55271), and the job has to start a second time.
        """
        last_done = max(self._batches("commits"), default=-1)
        for batch in self._batches("offsets"):
            if batch > last_done:
                self._files.delete(self._path(self._folder, f"offsets/{batch}"), False)

    def _checked(self, file: str, parse: Callable[[str], object]) -> None:
        if not self._exists(file):
            raise self._damaged(file, "does not exist")
        try:
            text = self._read(file)
            if not text:
                raise self._damaged(file, "is empty")
            parse(text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(file, "is truncated, or another program has written it") from error
        except Py4JJavaError as error:
            if error.java_exception.getClass().getSimpleName() != "ChecksumException":
                raise
            raise self._damaged(file, "differs from its checksum") from error

    def _damaged(self, file: str, how: str) -> CheckpointDamagedError:
        return CheckpointDamagedError(f"`{file}` in the checkpoint `{self._location}` {how}")

    def _exists(self, file: str) -> bool:
        found: bool = self._files.exists(self._path(self._folder, file))
        return found

    def _read(self, file: str) -> str:
        opened = self._files.open(self._path(self._folder, file))
        try:
            text: str = self._text(opened, "UTF-8")
        finally:
            opened.close()
        return text

    def _batches(self, log: str) -> list[int]:
        folder = self._path(self._folder, log)
        if not self._files.exists(folder):
            return []
        names = [file.getPath().getName() for file in self._files.listStatus(folder)]
        return [int(name) for name in names if name.isdigit()]


def _commit(text: str) -> object:
    version, fields = text.split("\n", 1)
    if not version.startswith("v"):
        raise ValueError(version)
    return json.loads(fields)


def _offsets(text: str) -> Offsets:
    _version, _metadata, source, *_ = text.split("\n")
    offsets: Offsets = json.loads(source)
    return offsets
