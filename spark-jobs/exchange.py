"""Exchanges files, through a folder in HDFS, with a driver of the job that runs in a cluster.

The driver and the machine that supervises it use local files, as they do in client mode. This module copies
them from one machine to the other. The driver reports its state in files, which are copied when they change.
The other machine sends requests in files, which are moved.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError

from offstream_jobs.program import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pyspark.sql import SparkSession

INTERVAL_SECONDS = 2.0


class Exchange:
    """A folder of Hadoop with copies of files. The names of the files are the same on both machines."""

    def __init__(self, spark: SparkSession, folder: str) -> None:
        """`folder` is a URI. It does not have to exist yet."""
        jvm: Any = spark._jvm
        self._path = jvm.org.apache.hadoop.fs.Path
        self._text = jvm.org.apache.commons.io.IOUtils.toString
        self._folder = self._path(folder)
        self._files = self._folder.getFileSystem(spark._jsc.hadoopConfiguration())
        self._copied: dict[str, str] = {}
        self._error: str | None = None

    def clear(self) -> None:
        """Delete the folder."""
        self._files.delete(self._folder, True)

    def send(self, state: Path) -> None:
        """Copy a local file to the folder, if it exists and has changed."""
        if not state.exists():
            return
        text = state.read_text(encoding="utf-8")
        if text != self._copied.get(state.name):
            self._write(state.name, text)
            self._copied[state.name] = text

    def receive(self, state: Path) -> None:
        """Replace a local file with the one in the folder, if that exists and has changed."""
        text = self._read(state.name)
        if text is not None and text != self._copied.get(state.name):
            _replace(state, text)
            self._copied[state.name] = text

    def hand_over(self, request: Path) -> bool:
        """Move a local file to the folder; return whether it existed."""
        if not request.exists():
            return False
        self._write(request.name, request.read_text(encoding="utf-8"))
        request.unlink()
        return True

    def take(self, request: Path) -> None:
        """Move a file from the folder to this machine, if it exists."""
        text = self._read(request.name)
        if text is not None:
            self._files.delete(self._path(self._folder, request.name), False)
            _replace(request, text)

    def attempt(self, step: Callable[[], None]) -> None:
        """Call a step, which is repeated later if it fails. An error that repeats is printed once.

        Throws if the Java process of this program has exited.
        """
        try:
            step()
        except (Py4JJavaError, OSError) as error:
            if isinstance(error, ConnectionError):
                raise
            line = one_line(error)
            if line != self._error:
                message = "the exchange with the other machine failed, next try soon"
                print(f"{message}: {line}", file=sys.stderr, flush=True)
            self._error = line
        else:
            self._error = None

    def _write(self, name: str, text: str) -> None:
        created = self._files.create(self._path(self._folder, name), True)
        try:
            created.write(bytearray(f"{text}\n".encode()))
        finally:
            created.close()

    def _read(self, name: str) -> str | None:
        """Return the text of a file; None if it does not exist or is incomplete."""
        path = self._path(self._folder, name)
        if not self._files.exists(path):
            return None
        opened = self._files.open(path)
        try:
            text: str = self._text(opened, "UTF-8")
        finally:
            opened.close()
        return text[:-1] if text.endswith("\n") else None


def _replace(file: Path, text: str) -> None:
    temporary = file.with_name(f"{file.name}.received")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)


@contextmanager
def exchanged(exchange: Exchange, state: Sequence[Path], requests: Sequence[Path]) -> Iterator[None]:
    """For the driver: send its state and take requests while the body runs, and once more after it."""
    stopped = threading.Event()

    def step() -> None:
        for file in state:
            exchange.send(file)
        for file in requests:
            exchange.take(file)

    def repeat() -> None:
        while not stopped.wait(INTERVAL_SECONDS):
            exchange.attempt(step)

    thread = threading.Thread(target=repeat, name="exchange", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        exchange.attempt(step)
