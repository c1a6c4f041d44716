"""The offsets of Spark's checkpoint."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from offstream_jobs.checkpoint import Checkpoint, CheckpointDamagedError, Owner

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def test_a_job_that_never_ran_has_no_offsets(spark: SparkSession, tmp_path: Path) -> None:
    assert Checkpoint(spark, str(tmp_path / "checkpoint")).committed() == {}


def checkpoint_with(folder: Path, commits: list[int], offsets: dict[int, int]) -> str:
    """Write a checkpoint as Spark 4.1 does for a Kafka source; `offsets` are the end offsets of batches."""
    (folder / "commits").mkdir(parents=True)
    (folder / "offsets").mkdir()
    (folder / "metadata").write_text('{"id":"5f2c"}')
    for batch in commits:
        (folder / "commits" / str(batch)).write_text('v1\n{"nextBatchWatermarkMs":0}')
        (folder / "commits" / f".{batch}.extra.crc").touch()
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


def test_a_complete_checkpoint_and_one_that_does_not_exist_are_intact(
    spark: SparkSession, tmp_path: Path
) -> None:
    locations = [
        checkpoint_with(tmp_path / "stopped", commits=[9, 10], offsets={9: 90, 10: 100}),
        checkpoint_with(tmp_path / "killed", commits=[9, 10], offsets={9: 90, 10: 100, 11: 110}),
        checkpoint_with(tmp_path / "killed in its first batch", commits=[], offsets={0: 10}),
        checkpoint_with(tmp_path / "rebuilt", commits=[0], offsets={0: 10}),
        (tmp_path / "missing").as_uri(),
    ]
    for location in locations:
        Checkpoint(spark, location).verify("products-events")


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("metadata", "", "`metadata` in the checkpoint `{}` is empty"),
        ("metadata", None, "`metadata` in the checkpoint `{}` does not exist"),
        ("metadata", '{"id"', "`metadata` in the checkpoint `{}` is truncated"),
        ("offsets/10", "", "`offsets/10` in the checkpoint `{}` is empty"),
        ("offsets/10", None, "`offsets/10` in the checkpoint `{}` does not exist"),
        ("offsets/10", "v1\n{}", "`offsets/10` in the checkpoint `{}` is truncated"),
        ("offsets/10", 'v1\n{}\n{"products-ev', "`offsets/10` in the checkpoint `{}` is truncated"),
        ("offsets/10", "v1\n{}\n[1]", "`offsets/10` in the checkpoint `{}` is truncated"),
        ("offsets/10", 'v1\n{}\n{"others":{"0":1}}', "`offsets/10` in the checkpoint `{}` has offsets of"),
        ("offsets/9", None, "`offsets/9` in the checkpoint `{}` does not exist"),
        ("commits/10", "", "`commits/10` in the checkpoint `{}` is empty"),
        ("commits/10", "v1", "`commits/10` in the checkpoint `{}` is truncated"),
        ("commits", None, "`commits/9` in the checkpoint `{}` does not exist"),
        ("offstream.json", '{"version":1}', "`offstream.json` in the checkpoint `{}` is truncated"),
    ],
)
def test_a_damaged_file_is_named(
    spark: SparkSession, tmp_path: Path, file: str, content: str | None, reason: str
) -> None:
    location = checkpoint_with(tmp_path / "c", commits=[9, 10], offsets={9: 90, 10: 100})
    damaged = tmp_path / "c" / file
    if content is not None:
        damaged.write_text(content)
    else:
        damaged.rename(tmp_path / "lost")

    with pytest.raises(CheckpointDamagedError) as error:
        Checkpoint(spark, location).verify("products-events")
    assert str(error.value).startswith(reason.format(location))


def test_a_file_that_differs_from_its_checksum_is_named(spark: SparkSession, tmp_path: Path) -> None:
    location = checkpoint_with(tmp_path / "c", commits=[0], offsets={0: 90})
    Checkpoint(spark, location).own(Owner("topic", "table"))
    owner = tmp_path / "c" / "offstream.json"
    owner.write_text(owner.read_text().replace("table", "tably"))
    with pytest.raises(CheckpointDamagedError, match=r"^`offstream.json` .* differs from its checksum$"):
        Checkpoint(spark, location).verify("products-events")


def test_a_checkpoint_in_a_local_folder_replaces_the_present_one_once(
    spark: SparkSession, tmp_path: Path
) -> None:
    location = checkpoint_with(tmp_path / "c", commits=[9], offsets={9: 90})
    checkpoint = Checkpoint(spark, location)
    checkpoint_with(tmp_path / "new", commits=[0], offsets={0: 10})
    checkpoint.adopt(tmp_path / "new")
    assert checkpoint.committed() == {"products-events": {"0": 10}}
    assert Checkpoint(spark, f"{location}.replaced").committed() == {"products-events": {"0": 90}}
    checkpoint.adopt(tmp_path / "new")
    assert checkpoint.committed() == {"products-events": {"0": 10}}
    (tmp_path / "new").mkdir()
    checkpoint.adopt(tmp_path / "new")
    assert checkpoint.committed() == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "c.replaced"]


def test_a_replacement_that_a_killed_job_has_not_deleted_completely_is_not_adopted_again(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = Checkpoint(spark, checkpoint_with(tmp_path / "c", commits=[9], offsets={9: 90}))
    checkpoint_with(tmp_path / "new", commits=[0], offsets={0: 10})

    def die(folder: Path, **_: object) -> None:
        if folder.exists():
            (folder / "metadata").unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.adopt(tmp_path / "new")
    checkpoint.adopt(tmp_path / "new")
    checkpoint.verify("products-events")
    assert checkpoint.committed() == {"products-events": {"0": 10}}


def test_a_replacement_stays_if_the_file_system_refuses_it(spark: SparkSession, tmp_path: Path) -> None:
    class Refusing:
        def __init__(self, files: Any) -> None:  # noqa: ANN401 - Hadoop's file system
            self.exists, self.delete, self.getConf = files.exists, files.delete, files.getConf

        def rename(self, *_: object) -> bool:
            return False

    checkpoint = Checkpoint(spark, checkpoint_with(tmp_path / "c", commits=[9], offsets={9: 90}))
    files, checkpoint._files = checkpoint._files, Refusing(checkpoint._files)
    checkpoint_with(tmp_path / "new", commits=[0], offsets={0: 10})
    with pytest.raises(OSError, match="could not be renamed"):
        checkpoint.adopt(tmp_path / "new")
    checkpoint._files = files
    assert checkpoint.committed() == {"products-events": {"0": 90}}
    assert (tmp_path / "new").is_dir()


def test_a_checkpoint_records_its_topic_and_its_table(spark: SparkSession, tmp_path: Path) -> None:
    checkpoint = Checkpoint(spark, (tmp_path / "c").as_uri())
    assert checkpoint.owner() is None
    checkpoint.own(Owner("topic 1", "table 1"))
    checkpoint.own(Owner("topic 2", "table 1"))
    assert checkpoint.owner() == Owner("topic 2", "table 1")
    checkpoint.refuse_other_table("table 1")
    with pytest.raises(CheckpointDamagedError, match="belongs to another table"):
        checkpoint.refuse_other_table("table 2")
    checkpoint.own(Owner("topic 2", None))
    checkpoint.refuse_other_table("table 2")
