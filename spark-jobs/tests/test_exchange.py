"""The exchange of files with a driver in a cluster. A local folder replaces HDFS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from exchange import Exchange, exchanged

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

NAMES = ("job.progress.json", "job.batches.json", "job.stop", "job.optimize")


class Side:
    """One of the two machines."""

    def __init__(self, spark: SparkSession, folder: Path, shared: Path) -> None:
        """`folder` has the local files."""
        folder.mkdir()
        self.progress, self.batches, self.stop, self.optimize = (folder / name for name in NAMES)
        self.exchange = Exchange(spark, shared.as_uri())


@pytest.fixture
def sides(spark: SparkSession, tmp_path: Path) -> tuple[Side, Side]:
    """The driver, and the machine that supervises it."""
    shared = tmp_path / "shared"
    return Side(spark, tmp_path / "driver", shared), Side(spark, tmp_path / "here", shared)


def test_the_state_of_the_driver_is_copied_when_it_changes(sides: tuple[Side, Side]) -> None:
    driver, here = sides
    here.exchange.receive(here.progress)
    assert not here.progress.exists()
    for text in ('{"state": "starting"}\n', '{"state": "läuft"}\n'):
        driver.progress.write_text(text, encoding="utf-8")
        driver.exchange.send(driver.progress)
        here.exchange.receive(here.progress)
        assert here.progress.read_text(encoding="utf-8") == text
    here.progress.unlink()
    driver.exchange.send(driver.progress)
    here.exchange.receive(here.progress)
    assert not here.progress.exists()


def test_a_file_that_is_being_written_is_not_received(sides: tuple[Side, Side], tmp_path: Path) -> None:
    driver, here = sides
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / driver.progress.name).write_text('{"state": "star', encoding="utf-8")
    here.exchange.receive(here.progress)
    assert not here.progress.exists()


@pytest.mark.parametrize("text", ["", "7"])
def test_a_request_is_moved_to_the_driver(sides: tuple[Side, Side], text: str) -> None:
    driver, here = sides
    assert not here.exchange.hand_over(here.optimize)
    here.optimize.write_text(text, encoding="utf-8")
    assert here.exchange.hand_over(here.optimize)
    assert not here.optimize.exists()
    driver.exchange.take(driver.optimize)
    assert driver.optimize.read_text(encoding="utf-8") == text
    driver.optimize.unlink()
    driver.exchange.take(driver.optimize)
    assert not driver.optimize.exists()


def test_the_driver_takes_requests_while_it_runs_and_sends_its_last_state(sides: tuple[Side, Side]) -> None:
    driver, here = sides
    here.stop.touch()
    here.exchange.hand_over(here.stop)
    with exchanged(driver.exchange, (driver.progress, driver.batches), (driver.stop, driver.optimize)):
        deadline = time.monotonic() + 20
        while not driver.stop.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert driver.stop.exists()
        driver.progress.write_text('{"state": "stopped"}\n', encoding="utf-8")
    here.exchange.receive(here.progress)
    assert here.progress.read_text(encoding="utf-8") == '{"state": "stopped"}\n'
    here.exchange.clear()
    other = here.progress.with_name("other.json")
    here.exchange.receive(other)
    assert not other.exists()


def test_a_step_that_fails_is_printed_once_and_does_not_stop_the_job(
    sides: tuple[Side, Side], capsys: pytest.CaptureFixture[str]
) -> None:
    driver, _ = sides

    def fails() -> None:
        raise OSError("no name node")

    for _attempt in range(2):
        driver.exchange.attempt(fails)
    line = "the exchange with the other machine failed, next try soon: no name node\n"
    assert capsys.readouterr().err == line
