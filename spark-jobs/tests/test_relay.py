"""What the program sends to YARN with the job, and how it follows the application."""

from __future__ import annotations

import zipfile
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from exchange import Exchange
from relay import Relay, write_archive

if TYPE_CHECKING:
    import pytest
    from pyspark.sql import SparkSession

    from relay import Applications


class NoApplications:
    """YARN without an application of the job."""

    def newest(self) -> None:
        """Find nothing."""


def test_the_archive_has_all_programs_that_the_driver_imports_or_compiles(tmp_path: Path) -> None:
    archive = tmp_path / "spark-jobs.zip"
    archive.write_text("of an earlier start", encoding="utf-8")
    write_archive(Path(__file__).parent.parent, archive)
    with zipfile.ZipFile(archive) as written:
        names = written.namelist()
    assert {"stream.py", "BatchWriter.java", "offstream_jobs/__init__.py"} <= set(names)
    assert [name for name in names if name.startswith(("tests", ".venv", "token"))] == []


def test_a_stop_does_not_need_the_exchange_of_files_whose_failure_is_printed_once(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: tmp_path / name for name in ("progress", "batches", "stop_file", "optimize_file")}
    no_folder = tmp_path / "file"
    no_folder.touch()
    exchange = Exchange(spark, (no_folder / "shared").as_uri())
    relay = Relay(cast("Applications", NoApplications()), exchange, Namespace(**files))
    files["optimize_file"].touch()
    for _step in range(3):
        exchange.attempt(relay.step)
    assert capsys.readouterr().err.count("the exchange with the other machine failed") == 1
    assert not relay.is_done
    files["stop_file"].touch()
    exchange.attempt(relay.step)
    assert relay.is_done
