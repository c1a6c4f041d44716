"""What Spark keeps on the disk of how far the query is.

`offsets/N` is written when batch N is planned, `commits/N` when it is done; the first holds a line of
version, a line of metadata, then a line of JSON for each source. Read and written through Hadoop, since a
checkpoint may lie on s3a:// or hdfs://.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Offsets: TypeAlias = dict[str, dict[str, int]]
"""Topic → partition → the offset of the next message to read."""


class Checkpoint:
    """The checkpoint of a query with one source, between two runs of it."""

    def __init__(self, spark: SparkSession, location: str) -> None:
        """Look at a folder or URI, which need not be there yet."""
        java: Any = spark._jvm
        self._path = java.org.apache.hadoop.fs.Path
        self._text = java.org.apache.commons.io.IOUtils.toString
        self._folder = self._path(location)
        self._files = self._folder.getFileSystem(spark._jsc.hadoopConfiguration())

    def committed(self) -> Offsets:
        """Tell how far the batches that are done went; nothing where none is."""
        done = self._batches("commits")
        if not done:
            return {}
        opened = self._files.open(self._path(self._folder, f"offsets/{max(done)}"))
        try:
            text = self._text(opened, "UTF-8")
        finally:
            opened.close()
        _version, _metadata, source, *_ = text.split("\n")
        offsets: Offsets = json.loads(source)
        return offsets

    def forget_planned(self) -> None:
        """Forget a batch that was planned and not done, as a kill leaves it: it is planned anew.

        Only for a query that may do things twice. Redone from its plan, its end makes Spark 4.1.1 end the
        query with a NullPointerException in KafkaMicroBatchStream.metrics (SPARK-55271), and the whole job
        has to start a second time.
        """
        last_done = max(self._batches("commits"), default=-1)
        for batch in self._batches("offsets"):
            if batch > last_done:
                self._files.delete(self._path(self._folder, f"offsets/{batch}"), False)

    def _batches(self, log: str) -> list[int]:
        folder = self._path(self._folder, log)
        if not self._files.exists(folder):
            return []
        names = [file.getPath().getName() for file in self._files.listStatus(folder)]
        return [int(name) for name in names if name.isdigit()]
