"""A program that fails prints the error in its last line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError

from offstream_jobs.program import one_line, run, started

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def fails() -> None:
    raise ValueError("no broker answered\nat localhost:9092")


def test_a_failed_program_exits_with_1_and_prints_the_error_in_its_last_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as exit_status:
        run("products-stream", fails)
    assert exit_status.value.code == 1
    lines = capsys.readouterr().err.splitlines()
    assert (lines[0], lines[-1]) == (
        "Traceback (most recent call last):",
        "products-stream failed: no broker answered",
    )


def test_a_program_that_succeeds_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run("products-stream", lambda: None)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError(), "RuntimeError"),
        (Py4JNetworkError("Answer from Java side is empty"), "the Java process of Spark has exited"),
        (ConnectionRefusedError(111, "Connection refused"), "the Java process of Spark has exited"),
    ],
)
def test_an_error_becomes_one_line(error: Exception, line: str) -> None:
    assert one_line(error) == line


def test_the_line_of_a_java_error_has_its_first_cause(spark: SparkSession) -> None:
    session = spark.newSession()
    session.conf.set("spark.sql.catalog.broken", "org.apache.iceberg.spark.SparkCatalog")
    session.conf.set("spark.sql.catalog.broken.type", "jdbc")
    session.conf.set("spark.sql.catalog.broken.uri", "jdbc:sqlite:/nowhere/at/all.db")
    session.conf.set("spark.sql.catalog.broken.warehouse", "file:/nowhere")
    with pytest.raises(Py4JError) as failure:
        session.sql("SHOW NAMESPACES IN broken")
    assert one_line(failure.value) == (
        "org.apache.iceberg.jdbc.UncheckedSQLException: Failed to connect: jdbc:sqlite:/nowhere/at/all.db"
        " ← java.sql.SQLException: path to '/nowhere/at/all.db': '/nowhere' does not exist"
    )


def java_error(name: str) -> Py4JJavaError:
    """Return what py4j raises for an exception of this class."""
    java_class = SimpleNamespace(getSimpleName=lambda: name)
    return Py4JJavaError("", SimpleNamespace(_target_id="o1", getClass=lambda: java_class))


def test_a_session_that_cannot_start_because_of_its_web_pages_starts_again_once() -> None:
    outcomes: list[Py4JJavaError | str] = [java_error("ConcurrentModificationException"), "session"]

    def start() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Py4JJavaError):
            raise outcome
        return outcome

    assert started(start) == "session"
    outcomes = [java_error("SparkException"), "session"]
    with pytest.raises(Py4JJavaError):
        started(start)
    assert outcomes == ["session"]
