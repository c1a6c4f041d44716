"""The table records what it contains."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from holdings import ACCEPTED_LOSSES, TableNewerError, holdings, refuse_newer_tables
from kafka import as_messages, update
from lake import PRODUCTS, Tables
from offstream_jobs.iceberg import compact
from offstream_jobs.progress import Progress
from optimize import OptimizeRequests

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def test_an_empty_table_has_no_offsets(lake: SparkSession) -> None:
    found = holdings(lake)
    assert (found.contents.topic_id, found.contents.offsets, found.accepted_losses) == (None, {}, [])


def test_the_newest_offsets_still_count_after_a_compaction(lake: SparkSession) -> None:
    for offset in range(3):
        properties = {"offstream.topic-id": "t", "offstream.offsets": json.dumps({"products": {"0": offset}})}
        Tables(lake).write(as_messages(lake, [update(offset, code=f"2000000{offset}")]), properties)
    compact(lake, PRODUCTS)
    losses = [{"at": "2026-01-31T12:00:00Z", "reason": "it's gone"}]
    text = json.dumps(losses).replace("'", "\\'")
    lake.sql(f"ALTER TABLE {PRODUCTS} SET TBLPROPERTIES ('{ACCEPTED_LOSSES}' = '{text}')")

    found = holdings(lake)

    assert (found.contents.topic_id, found.contents.offsets, found.accepted_losses) == (
        "t",
        {"products": {"0": 2}},
        losses,
    )


def test_a_table_with_unknown_columns_is_rejected(lake: SparkSession) -> None:
    refuse_newer_tables(lake)
    lake.sql(f"ALTER TABLE {PRODUCTS} ADD COLUMN carbon_footprint DOUBLE")
    with pytest.raises(TableNewerError, match=r"does not know: `carbon_footprint`$"):
        refuse_newer_tables(lake)


def test_a_request_rewrites_all_files_once_and_its_result_is_reported(
    lake: SparkSession, tmp_path: Path
) -> None:
    for offset in range(3):
        Tables(lake).write(as_messages(lake, [update(offset, as_of=f"2026-01-0{offset + 1}T00:00:00Z")]), {})
    request, progress_file = tmp_path / "optimize", tmp_path / "progress.json"
    progress = Progress(progress_file)
    requests = OptimizeRequests(lake, request, lambda work: work(), progress)

    def carry_out() -> object:
        request.write_text("request 1")
        requests.follow()
        requests.finish()
        progress.report("running")
        return json.loads(progress_file.read_text())["optimized"]

    assert carry_out() == {"request": "request 1", "error": None}
    assert lake.table(f"{PRODUCTS}.files").count() == 1
    assert not request.exists()
    lake.sql(f"DROP TABLE {PRODUCTS}")
    failed = carry_out()
    assert isinstance(failed, dict)
    assert PRODUCTS.removeprefix("lake.") in failed["error"]
