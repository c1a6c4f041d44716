"""What prevents a second stream from writing the same tables: a lock, or a claim."""

from __future__ import annotations

import os
import platform
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from offstream_jobs.batches import LockLostError
from offstream_jobs.program import StreamError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pyspark.sql import SparkSession

_KEY = int.from_bytes(b"offstrea", "big")
"""The number of the lock in the database. Every stream locks the same number."""
_MAX_PROBE_SECONDS = 5

# By default a server notices only after two hours that it has lost the machine of a client.
_KEEP_ALIVE = {"tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}

_HOLDER = f"""
SELECT coalesce(host(client_addr), 'a machine that this user may not see')
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = {_KEY}
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""

_DENIALS = {"28000": "AUTHENTICATION_FAILED", "28P01": "AUTHENTICATION_FAILED", "42501": "ACCESS_DENIED"}
"""What the codes of PostgreSQL mean."""

_REST_DENIALS = {"NotAuthorizedException": "AUTHENTICATION_FAILED", "ForbiddenException": "ACCESS_DENIED"}
"""What the exceptions of Iceberg's REST client mean."""

_WRITER = "offstream.writer"
"""The property of a table that names the stream that writes it."""


class TableInUseError(StreamError):
    """Another stream writes the tables."""

    code = "TABLE_IN_USE"


class TableTakenError(StreamError):
    """A stream that was started later writes the tables."""

    code = "TABLE_TAKEN"


class CatalogDeniedError(StreamError):
    """The server of the catalog rejects the user."""

    def __init__(self, code: str, message: str) -> None:
        """`code` is that of the error for the user."""
        super().__init__(f"the catalog of the tables denies access: {message}")
        self.code = code


def catalog_settings(spark: SparkSession) -> dict[str, str]:
    """Return the settings of the catalog `lake`, by their names without `spark.sql.catalog.lake.`."""
    prefix = "spark.sql.catalog.lake."
    found = spark.conf.getAll.items()
    return {name.removeprefix(prefix): value for name, value in found if name.startswith(prefix)}


@contextmanager
def sole_writer(
    spark: SparkSession, catalog: Mapping[str, str] | None = None
) -> Iterator[Callable[[], None]]:
    """Lock the tables of a catalog, so that no other stream writes them; throw TableInUseError.

    `catalog`: its settings; by default those of `lake`. Two streams would rebuild their indexes after each
    commit of the other. The function that this yields throws LockLostError if the lock is lost. Call it
    before each commit. A REST catalog has no lock: the stream must `claim` the table too.
    """
    settings = catalog_settings(spark) if catalog is None else catalog
    if is_rest(settings):
        _open(spark)
    with _locked_warehouse(spark, settings), _locked_catalog(spark, settings) as check:
        yield check


def is_rest(settings: Mapping[str, str]) -> bool:
    """Whether the catalog is a REST server, which has no lock that ends with its holder."""
    return settings["type"] == "rest"


def claim(table: Any, check_lock: Callable[[], None]) -> Callable[[], None]:  # noqa: ANN401 - Iceberg's table
    """Record in a table that this stream writes it now, which stops the stream that wrote it before.

    Returns a function that calls `check_lock`, and throws TableTakenError if another stream has claimed the
    table since, or LockLostError if the catalog does not respond. Call it before each commit. If another
    stream commits after its last check, no row is added twice: a commit fails if the table has changed since
    the writer read it.
    """
    # With an id, because a container that restarts may have the same name and pid.
    name = f"pid {os.getpid()} on {platform.node()}, {uuid4()}"
    table.updateProperties().set(_WRITER, name).commit()

    def check() -> None:
        check_lock()
        try:
            table.refresh()
        except Py4JJavaError as error:
            raise LockLostError(f"the table `{table.name()}` cannot be read: {one_line(error)}") from error
        writer = table.properties().get(_WRITER)
        if writer != name:
            raise TableTakenError(
                f"another stream ({writer}), which was started later, writes the table `{table.name()}`"
            )

    return check


def _open(spark: SparkSession) -> None:
    """Open the catalog `lake`; throw CatalogDeniedError if its server rejects the user."""
    try:
        spark.sql("SHOW NAMESPACES IN lake").collect()
    except (Py4JJavaError, PySparkException) as error:
        code = next((code for name, code in _REST_DENIALS.items() if name in str(error)), None)
        if code is None:
            raise
        raise CatalogDeniedError(code, one_line(error)) from error


@contextmanager
def _locked_warehouse(spark: SparkSession, settings: Mapping[str, str]) -> Iterator[None]:
    """Lock a warehouse that is a folder, which excludes other streams of this machine.

    The system unlocks the file when the Java process that commits exits, however it exits.
    """
    warehouse = settings.get("warehouse", "")
    if not warehouse.startswith("file:"):
        yield
        return
    java: Any = spark._jvm
    path = "/" + warehouse.removeprefix("file:").lstrip("/") + "/stream.lock"
    file = java.java.io.RandomAccessFile(path, "rw")
    try:
        lock = file.getChannel().tryLock()
        if lock is None:
            raise TableInUseError(
                f"another stream (pid {file.readLine()}) writes the tables in `{warehouse}`"
            )
        file.setLength(0)
        file.writeBytes(f"{os.getpid()}\n")
        yield
    finally:
        file.close()


@contextmanager
def _locked_catalog(spark: SparkSession, settings: Mapping[str, str]) -> Iterator[Callable[[], None]]:
    """Lock a catalog in PostgreSQL, which excludes the streams of all machines.

    The server releases the lock when the connection is closed, for any reason.
    """
    uri = settings.get("uri", "")
    if not uri.startswith("jdbc:postgresql:"):
        yield lambda: None
        return
    connection = _connect(spark, uri, settings)
    try:
        for name, value in _KEEP_ALIVE.items():
            _first(connection, f"SELECT set_config('{name}', '{value}', false)")
        if _first(connection, f"SELECT pg_try_advisory_lock({_KEY})") != "t":
            raise TableInUseError(
                f"another stream (on {_first(connection, _HOLDER)}) writes the tables of the catalog `{uri}`"
            )

        def check() -> None:
            if not connection.isValid(_MAX_PROBE_SECONDS):
                raise LockLostError(f"the connection to the catalog `{uri}`, which held the lock, is broken")

        yield check
    finally:
        connection.close()


def _connect(spark: SparkSession, uri: str, settings: Mapping[str, str]) -> Any:  # noqa: ANN401 - a connection of Java
    """Connect with the settings of the catalog. The driver finds the password in its own file."""
    java: Any = spark._jvm
    properties = java.java.util.Properties()
    for name, value in settings.items():
        if name.startswith("jdbc."):
            properties.setProperty(name.removeprefix("jdbc."), value)
    try:
        return java.java.sql.DriverManager.getConnection(uri, properties)
    except Py4JJavaError as error:
        exception = error.java_exception
        code = _DENIALS.get(exception.getSQLState() if hasattr(exception, "getSQLState") else "")
        if code is None:
            raise
        raise CatalogDeniedError(code, one_line(error)) from error


def _first(connection: Any, query: str) -> str | None:  # noqa: ANN401 - a connection of Java
    """Return the first value of the first row."""
    statement = connection.createStatement()
    try:
        rows = statement.executeQuery(query)
        value: str | None = rows.getString(1) if rows.next() else None
        return value
    finally:
        statement.close()
