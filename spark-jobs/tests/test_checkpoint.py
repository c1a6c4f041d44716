"""The offsets of Spark's checkpoint."""

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
    """Write a checkpoint as Spark 4.1 does for a Kafka source; `offsets` are the end offsets of batches."""
    (folder / "commits").mkdir(parents=True)
    (folder / "offsets").mkdir()
    for batch in commits:
        (folder / "commits" / str(batch)).write_text('v1\n{"nextBatchWatermarkMs":0}')
        (folder / "commits" / f".{batch}.crc").touch()
    for batch, offset in offsets.items():
        source = json.dumps({"products-events": {"0": offset}})
        (folder / "offsets" / str(batch)).write_text(f'v1\n{{"batchWatermarkMs":0,"conf":{{}}}}\n{source}')
    return folder.as_uri()


def test_a_batch_that_is_planned_but_not_done_is_not_committed(spark: SparkSession, tmp_path: Path) -> None:
    checkpoint = checkpoint_with(tmp_path / "c", commits=[9, 10], offsets={9: 90, 10: 100, 11: 110})
    assert Checkpoint(spark, checkpoint).committed() == {"products-events": {"0": 100}}


def test_a_job_that_stopped_in_its_first_batch_has_no_offsets(spark: SparkSession, tmp_path: Path) -> None:
    checkpoint = checkpoint_with(tmp_path / "c", commits=[], offsets={0: 10})
    assert Checkpoint(spark, checkpoint).committed() == {}


def test_the_plan_of_a_batch_that_is_not_done_is_deleted(spark: SparkSession, tmp_path: Path) -> None:
    location = checkpoint_with(tmp_path / "c", commits=[9, 10], offsets={9: 90, 10: 100, 11: 110})
    checkpoint = Checkpoint(spark, location)
    checkpoint.delete_uncommitted()
    assert sorted(path.name for path in (tmp_path / "c" / "offsets").iterdir()) == ["10", "9"]
    assert checkpoint.committed() == {"products-events": {"0": 100}}


def test_the_plan_of_a_first_batch_that_is_not_done_is_deleted(spark: SparkSession, tmp_path: Path) -> None:
    location = checkpoint_with(tmp_path / "c", commits=[], offsets={0: 10})
    Checkpoint(spark, location).delete_uncommitted()
    assert list((tmp_path / "c" / "offsets").iterdir()) == []
