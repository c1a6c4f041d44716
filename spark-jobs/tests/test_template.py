"""The template that `offstream init --template` copies is correct as it is."""

from __future__ import annotations

import json
import sys
import unittest
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from offstream_jobs.table import UpsertTable, create_views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

TEMPLATE = Path(__file__).parents[2] / "config" / "templates" / "clickstream"


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder of the programs is on the path, as for a job."""
    monkeypatch.syspath_prepend(str(TEMPLATE / "jobs"))
    yield
    for name in ("click_rows", "test_click_rows"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("spark", "jobs")
def test_the_tests_of_the_template_pass() -> None:
    suite = unittest.defaultTestLoader.discover(str(TEMPLATE / "jobs"))
    result = unittest.TestResult()
    suite.run(result)
    assert (result.errors, result.failures, result.testsRun) == ([], [], 3)


@pytest.mark.usefixtures("jobs")
def test_the_events_become_rows_and_views(bare_lake: SparkSession) -> None:
    from click_rows import click_rows  # noqa: PLC0415

    lines = (TEMPLATE / "events" / "clicks.jsonl").read_text(encoding="utf-8").splitlines()
    messages = [(bytearray(line.encode()), offset) for offset, line in enumerate(lines)]
    rows = click_rows(bare_lake.createDataFrame(messages, "value binary, offset long"))
    table = UpsertTable(bare_lake, "lake.shop.clicks", ["id"], ["at", "offset"])
    table.ensure(rows.schema)
    table.write(rows, {})
    create_views(bare_lake, TEMPLATE / "views", "lake.shop")

    clicks = [json.loads(line) for line in lines]
    ids = {click["id"] for click in clicks if "id" in click}
    assert bare_lake.table("lake.shop.clicks").count() == len(ids) == 541
    visits = bare_lake.table("lake.shop.visits").groupBy("step").count().orderBy("step").collect()
    assert [tuple(row) for row in visits] == [(1, 72), (2, 33), (3, 15), (4, 30)]
    viewed = {click["id"] for click in clicks if "id" in click and click["action"] == "view"}
    [views] = bare_lake.sql("SELECT sum(views) AS views FROM lake.shop.pages").collect()
    assert views["views"] == len(viewed)
