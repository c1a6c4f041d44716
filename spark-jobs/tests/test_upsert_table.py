"""A table has the newest row of each key, and says what does not fit it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql.types import LongType, StringType, StructField, StructType

from offstream_jobs.iceberg import contents, iceberg_table
from offstream_jobs.table import UpsertTable, create_views
from offstream_jobs.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

TABLE = "lake.shop.clicks"
SCHEMA = "id string, page string, at long, offset long"


def rows(spark: SparkSession, *values: tuple[object, ...]) -> DataFrame:
    return spark.createDataFrame([*values], SCHEMA)


def stored(spark: SparkSession) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in spark.table(TABLE).orderBy("id").collect()]


@pytest.fixture
def table(bare_lake: SparkSession) -> UpsertTable:
    made = UpsertTable(bare_lake, TABLE, ["id"], ["at", "offset"])
    made.ensure(rows(bare_lake).schema)
    return made


def test_any_order_and_repetition_of_rows_gives_the_same_table(
    bare_lake: SparkSession, table: UpsertTable
) -> None:
    written = [
        (f"c{key}", f"page {offset}", at, offset)
        for offset, (key, at) in enumerate([(1, 5), (2, None), (1, 7), (2, 3), (1, 7), (3, None), (3, None)])
    ]
    shuffled = [*written, *written]
    random.Random(3).shuffle(shuffled)

    for place in range(0, len(shuffled), 4):
        table.write(rows(bare_lake, *shuffled[place : place + 4]), {})

    assert stored(bare_lake) == [
        ("c1", "page 4", 7, 4),
        ("c2", "page 3", 3, 3),
        ("c3", "page 6", None, 6),
    ]


def test_a_key_can_have_several_columns(bare_lake: SparkSession) -> None:
    table = UpsertTable(bare_lake, TABLE, ["id", "page"], ["offset"])
    batch = rows(bare_lake, ("a", "/", 1, 1), ("a", "/x", 1, 2), ("a", "/", 1, 3))
    table.ensure(batch.schema)
    table.write(batch, {})
    table.write(batch, {})
    assert sorted(stored(bare_lake)) == [("a", "/", 1, 3), ("a", "/x", 1, 2)]


def test_rows_without_a_key_are_skipped_and_logged(
    bare_lake: SparkSession, table: UpsertTable, capfd: pytest.CaptureFixture[str]
) -> None:
    table.write(rows(bare_lake, (None, "/", 1, 0), ("a", "/", 1, 1), (None, "/x", 1, 2)), {})
    assert stored(bare_lake) == [("a", "/", 1, 1)]
    assert "2 rows without a key were skipped\n" in capfd.readouterr().err


def test_the_snapshot_has_the_properties_of_the_batch_also_after_a_compaction(
    bare_lake: SparkSession, table: UpsertTable
) -> None:
    clock = [0.0]
    upkeep = Upkeep(table.upkeep_steps(), clock=lambda: clock[0])
    for offset in range(50):
        properties = {"offstream.topic-id": "t", "offstream.offsets": f'{{"clicks":{{"0":{offset + 1}}}}}'}
        table.write(rows(bare_lake, (f"c{offset % 3}", "/", 1, offset)), properties)
    files = bare_lake.table(f"{TABLE}.files").count()

    clock[0] = 60.0
    upkeep.run_due()

    found = contents(iceberg_table(bare_lake, TABLE))
    assert (found.topic_id, found.offsets) == ("t", {"clicks": {"0": 50}})
    assert bare_lake.table(f"{TABLE}.files").count() < files
    assert [row[3] for row in stored(bare_lake)] == [48, 49, 47]


def test_if_the_check_fails_nothing_is_written(bare_lake: SparkSession, table: UpsertTable) -> None:
    def fail() -> None:
        raise OSError("messages were lost")

    with pytest.raises(OSError, match="messages were lost"):
        table.write(rows(bare_lake, ("a", "/", 1, 1)), {}, fail)
    assert stored(bare_lake) == []


def test_a_new_column_is_added_and_is_null_in_the_older_rows(
    bare_lake: SparkSession, table: UpsertTable
) -> None:
    table.write(rows(bare_lake, ("a", "/", 1, 1)), {})
    later = bare_lake.createDataFrame([("b", "/", 1, 2, "x")], f"{SCHEMA}, browser string")
    table.ensure(later.schema)
    table.write(later, {})
    assert stored(bare_lake) == [("a", "/", 1, 1, None), ("b", "/", 1, 2, "x")]


def test_columns_that_do_not_fit_are_refused(bare_lake: SparkSession, table: UpsertTable) -> None:
    def schema(**columns: LongType | StringType) -> StructType:
        return StructType([StructField(name, kind) for name, kind in columns.items()])

    text, number = StringType(), LongType()
    cases: Iterable[tuple[StructType, str]] = [
        (schema(page=text, at=number, offset=number), "the rows have no column `id`"),
        (schema(id=text, at=number, offset=number), "has a column `page` that the rows do not have"),
        (schema(id=text, page=text, at=text, offset=number), "`at` is a string in the rows and a bigint"),
    ]
    for columns, message in cases:
        with pytest.raises(ValueError, match=message):
            table.ensure(columns)
    with pytest.raises(ValueError, match=r"must have a name such as `lake.shop.clicks`, not `clicks`"):
        UpsertTable(bare_lake, "clicks", ["id"], ["offset"])


def test_each_sql_file_becomes_a_view_and_a_changed_file_a_changed_view(
    bare_lake: SparkSession, table: UpsertTable, tmp_path: Path
) -> None:
    table.write(rows(bare_lake, ("a", "/", 1, 1), ("b", "/", 2, 2)), {})
    folder = tmp_path / "views"
    folder.mkdir()
    (folder / "pages.sql").write_text(f"-- Clicks\nSELECT page, count(*) AS n FROM {TABLE} GROUP BY page;\n")
    create_views(bare_lake, folder, "lake.shop")
    assert [tuple(row) for row in bare_lake.table("lake.shop.pages").collect()] == [("/", 2)]

    (folder / "pages.sql").write_text(f"SELECT max(at) AS last FROM {TABLE}")
    create_views(bare_lake, folder, "lake.shop")
    assert [tuple(row) for row in bare_lake.table("lake.shop.pages").collect()] == [(2,)]

    (folder / "wrong.sql").write_text("SELECT nothing FROM lake.shop.missing")
    with pytest.raises(ValueError, match=r"wrong\.sql: .*missing"):
        create_views(bare_lake, folder, "lake.shop")
