"""The checkpoint of Spark: how far the query has read.

Spark writes `offsets/N` when it plans batch N and `commits/N` when the batch is done. A file of offsets has a
line with the version, a line of metadata, then a line of JSON for each source. The files are read and deleted
through Hadoop, since a checkpoint may be on s3a:// or hdfs://.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Offsets: TypeAlias = dict[str, dict[str, int]]
"""Topic → partition → the offset of the next message to read."""


class Checkpoint:
    """The checkpoint of a query with one source. Only `properties` may be used while the query runs."""

    def __init__(self, spark: SparkSession, location: str) -> None:
        """`location` is a folder or a URI, which does not have to exist yet."""
        java: Any = spark._jvm
        self._path = java.org.apache.hadoop.fs.Path
        self._text = java.org.apache.commons.io.IOUtils.toString
        self._folder = self._path(location)
        self._files = self._folder.getFileSystem(spark._jsc.hadoopConfiguration())

    def committed(self) -> Offsets:
        """Return the offsets after the last batch that is done; an empty dict if no batch is."""
        done = self._batches("commits")
        return self._planned(max(done)) if done else {}

    def properties(self, batch_id: int) -> dict[str, str]:
        """Return the properties of the snapshots of a planned batch; `repair` reads them.

        The offsets are those after the batch: all messages before them are in the tables.
        """
        return {
            "offstream.query-id": json.loads(self._read("metadata"))["id"],
            "offstream.batch-id": str(batch_id),
            "offstream.offsets": json.dumps(self._planned(batch_id), separators=(",", ":")),
        }

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

    def _planned(self, batch_id: int) -> Offsets:
        _version, _metadata, source, *_ = self._read(f"offsets/{batch_id}").split("\n")
        offsets: Offsets = json.loads(source)
        return offsets

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
