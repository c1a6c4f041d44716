"""How far the query is, as Spark's checkpoint tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from checkpoint import Checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def test_a_job_that_never_ran_has_no_offsets(spark: SparkSession, tmp_path: Path) -> None:
    assert Checkpoint(spark, str(tmp_path / "checkpoint")).committed() == {}


def checkpoint_with(folder: Path, commits: list[int], offsets: dict[int, int]) -> str:
    """Make what Spark 4.1 writes for a Kafka source: numbers of batches to the offset that each reached."""
    (folder / "commits").mkdir(parents=True)
    (folder / "offsets").mkdir()
    for batch in commits:
        (folder / "commits" / str(batch)).write_text('v1\n{"nextBatchWatermarkMs":0}')
        (folder / "commits" / f".{batch}.crc").touch()
    for batch, offset in offsets.items():
        source = json.dumps({"products-events": {"0": offset}})
        (folder / "offsets" / str(batch)).write_text(f'v1\n{{"batchWatermarkMs":0,"conf":{{}}}}\n{source}')
    return folder.as_uri()


def test_a_batch_that_was_planned_but_not_done_does_not_count(spark: SparkSession, tmp_path: Path) -> None:
    checkpoint = checkpoint_with(tmp_path / "c", commits=[9, 10], offsets={9: 90, 10: 100, 11: 110})
    assert Checkpoint(spark, checkpoint).committed() == {"products-events": {"0": 100}}


def test_a_job_that_ended_in_its_first_batch_has_no_offsets(spark: SparkSession, tmp_path: Path) -> None:
    checkpoint = checkpoint_with(tmp_path / "c", commits=[], offsets={0: 10})
    assert Checkpoint(spark, checkpoint).committed() == {}


def test_what_was_planned_and_not_done_is_forgotten(spark: SparkSession, tmp_path: Path) -> None:
    location = checkpoint_with(tmp_path / "c", commits=[9, 10], offsets={9: 90, 10: 100, 11: 110})
    checkpoint = Checkpoint(spark, location)
    checkpoint.forget_planned()
    assert sorted(path.name for path in (tmp_path / "c" / "offsets").iterdir()) == ["10", "9"]
    assert checkpoint.committed() == {"products-events": {"0": 100}}


def test_a_first_batch_that_was_not_done_is_forgotten_too(spark: SparkSession, tmp_path: Path) -> None:
    location = checkpoint_with(tmp_path / "c", commits=[], offsets={0: 10})
    Checkpoint(spark, location).forget_planned()
    assert list((tmp_path / "c" / "offsets").iterdir()) == []
