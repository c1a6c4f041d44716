"""The tables hold the newest messages, whatever the order and repetition of the messages."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from py4j.java_gateway import get_field
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from environment import lake_settings, until
from holdings import holdings
from kafka import EVIAN, NOON, NUTELLA, Message, as_messages, delete, minutes, update
from lake import PRODUCTS, REJECTED, Tables, ensure_tables, merge_products, merge_rejected
from messages import accepted, read_messages, rejected
from offstream_jobs.iceberg import compact, expire_snapshots, remove_orphans, rewrite
from products import REJECTED as REJECTED_COLUMNS
from products import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import DataFrame, Row, SparkSession


@cache
def tables_of(lake: SparkSession) -> Tables:
    return Tables(lake)


def write(lake: SparkSession, *messages: Message) -> None:
    tables_of(lake).write(as_messages(lake, messages), {})


def rows_of(lake: SparkSession, table: str = PRODUCTS) -> list[Row]:
    return sorted(lake.table(table).collect(), key=repr)


def written_by_merge(lake: SparkSession) -> int:
    """Return how many snapshots of the products a statement of Spark made."""
    snapshots = lake.table(f"{PRODUCTS}.snapshots").collect()
    return sum("spark.app.id" in row.summary for row in snapshots)


def count_of(lake: SparkSession, metadata: str) -> int:
    return lake.table(f"{PRODUCTS}.{metadata}").count()


def summaries(lake: SparkSession) -> list[tuple[str, str | None, bool, int]]:
    """Return the columns by which the tests below distinguish rows."""
    return [(row.code, row.product_name, row.deleted, row.kafka_offset) for row in rows_of(lake)]


def test_the_tables_have_the_columns_of_rows_and_of_rejected_messages(lake: SparkSession) -> None:
    assert lake.table(PRODUCTS).schema == TABLE
    assert lake.table(REJECTED).schema == REJECTED_COLUMNS


def test_creating_the_tables_again_commits_nothing(lake: SparkSession) -> None:
    before = count_of(lake, "metadata_log_entries")
    ensure_tables(lake)
    assert count_of(lake, "metadata_log_entries") == before


def test_an_older_table_gets_the_new_columns_and_keeps_its_rows(
    bare_lake: SparkSession,
) -> None:
    older = {field.name: field.dataType.simpleString() for field in TABLE if field.name != "salt_100g"}
    declared = ", ".join(f"{name} {kind}" for name, kind in older.items())
    bare_lake.sql("CREATE NAMESPACE lake.off")
    bare_lake.sql(f"CREATE TABLE {PRODUCTS} ({declared}) USING iceberg")
    bare_lake.sql(f"INSERT INTO {PRODUCTS} (code, product_name) VALUES ('{NUTELLA}', 'Nutella')")

    ensure_tables(bare_lake)
    write(bare_lake, update(code=EVIAN, salt_100g=0.02))

    assert set(bare_lake.table(PRODUCTS).columns) == set(TABLE.names)
    assert [(row.code, row.product_name, row.salt_100g) for row in rows_of(bare_lake)] == [
        (NUTELLA, "Nutella", None),
        (EVIAN, None, 0.02),
    ]


PROCESS = """
from pyspark.sql import SparkSession
from lake import ensure_tables
spark = SparkSession.builder.getOrCreate()
spark.range(1).collect()
print("ready", flush=True)
input()
ensure_tables(spark)
"""


def test_two_processes_can_create_the_tables_at_the_same_moment(
    connectors: str, bare_lake: SparkSession, tmp_path: Path
) -> None:
    settings = {
        **lake_settings(tmp_path),
        "spark.driver.extraClassPath": connectors,
        "spark.driver.memory": "512m",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    arguments = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    environment = {
        **os.environ,
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PYSPARK_SUBMIT_ARGS": " ".join(("--master", "local[1]", *arguments, "pyspark-shell")),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            print("go", file=process.stdin, flush=True)
        for process in processes:
            process.communicate(timeout=120)
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0]
    assert (bare_lake.table(PRODUCTS).schema, bare_lake.table(REJECTED).schema) == (TABLE, REJECTED_COLUMNS)


def test_a_newer_row_replaces_an_older_one_and_an_older_row_changes_nothing(lake: SparkSession) -> None:
    write(lake, update(offset=0, as_of=minutes(1), product_name="Nutella"), update(offset=1, code=EVIAN))
    write(lake, update(offset=2, as_of=minutes(2), product_name="Nutella 400 g"))
    write(lake, update(offset=3, as_of=minutes(0), product_name="Pasta gianduja"))
    assert summaries(lake) == [(NUTELLA, "Nutella 400 g", False, 2), (EVIAN, None, False, 1)]


def test_with_equal_as_of_the_higher_revision_wins_then_the_later_message(lake: SparkSession) -> None:
    write(lake, update(offset=0, rev=7, product_name="rev 7"))
    write(lake, update(offset=1, rev=6, product_name="rev 6"))
    write(lake, update(offset=2, rev=None, product_name="no rev"))
    assert summaries(lake) == [(NUTELLA, "rev 7", False, 0)]
    write(lake, update(offset=4, rev=7, product_name="rev 7, later"))
    write(lake, update(offset=3, rev=7, product_name="rev 7, between"))
    assert summaries(lake) == [(NUTELLA, "rev 7, later", False, 4)]


def test_an_older_update_does_not_restore_a_deleted_product(lake: SparkSession) -> None:
    write(lake, update(offset=0, as_of=minutes(0), product_name="Nutella"))
    write(lake, delete(as_of=minutes(2), offset=1))
    write(lake, update(offset=2, as_of=minutes(1), product_name="Nutella"))
    assert summaries(lake) == [(NUTELLA, None, True, 1)]


def test_a_newer_update_restores_a_deleted_product(lake: SparkSession) -> None:
    write(lake, delete(as_of=minutes(2), offset=0))
    write(lake, update(offset=1, as_of=minutes(3), product_name="Nutella"))
    assert summaries(lake) == [(NUTELLA, "Nutella", False, 1)]


def random_messages(rng: random.Random, count: int) -> list[Message]:
    """Make updates and deletes of few products at few times, so that every rule of the order matters."""
    found = []
    for offset in range(count):
        code, moment = rng.choice([NUTELLA, EVIAN, "20000000"]), minutes(rng.randint(0, 2))
        if rng.random() < 0.25:
            found.append(delete(code, moment, offset))
        else:
            rev = rng.choice([None, 0, 1])
            found.append(update(offset, code=code, as_of=moment, rev=rev, product_name=f"at {offset}"))
    return found


def newest_of(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    newest: dict[str, Row] = {}
    for row in sorted(
        rows, key=lambda row: (row.as_of, -1 if row.rev is None else row.rev, row.kafka_offset)
    ):
        newest[row.code] = row
    return sorted(tuple(row) for row in newest.values())


@pytest.mark.parametrize("seed", range(3))
def test_the_same_messages_in_any_order_and_repetition_give_the_same_tables(
    lake: SparkSession, seed: int
) -> None:
    rng = random.Random(seed)
    messages = random_messages(rng, 24)
    wrong = [Message(b"nutella", b"", offset=offset) for offset in (24, 25)]
    expected = newest_of(accepted(read_messages(as_messages(lake, messages))).collect())

    # Each message at least once, some twice, in batches of different sizes.
    left = [*messages, *wrong, *rng.sample(messages, 8), wrong[0]]
    rng.shuffle(left)
    while left:
        size = rng.randint(1, 12)
        write(lake, *left[:size])
        left = left[size:]

    assert sorted(tuple(row) for row in rows_of(lake)) == expected, f"seed {seed}"
    assert [row.kafka_offset for row in rows_of(lake, REJECTED)] == [24, 25], f"seed {seed}"


def test_rejected_messages_of_a_topic_that_was_created_again_are_other_messages(lake: SparkSession) -> None:
    wrong = Message(b"nutella", b"")
    write(lake, wrong)
    write(lake, wrong, wrong._replace(timestamp=NOON + timedelta(days=1)))
    assert [(row.kafka_offset, row.kafka_timestamp) for row in rows_of(lake, REJECTED)] == [
        (0, NOON),
        (0, datetime(2026, 2, 1, 12)),
    ]


def test_compaction_and_expiry_leave_the_same_rows_in_fewer_files_and_delete_old_snapshots(
    lake: SparkSession,
) -> None:
    for offset in range(6):
        messages = [update(offset, as_of=minutes(offset)), update(offset, code=f"2000000{offset}")]
        tables_of(lake).merge(as_messages(lake, messages), {})
    before = rows_of(lake)
    assert (count_of(lake, "data_files"), count_of(lake, "delete_files")) == (6, 5)
    lake.sql(f"ALTER TABLE {PRODUCTS} SET TBLPROPERTIES ('history.expire.max-snapshot-age-ms' = '1')")

    compact(lake, PRODUCTS)
    expire_snapshots(lake, PRODUCTS)

    assert rows_of(lake) == before
    assert (count_of(lake, "data_files"), count_of(lake, "delete_files")) == (1, 0)
    assert count_of(lake, "snapshots") == 1


def small_files(lake: SparkSession) -> Tables:
    """Make a writer whose batches become one file each."""
    return Tables(lake, max_driver_rows=0)


def test_a_large_batch_writes_only_the_newest_row_of_each_code(lake: SparkSession) -> None:
    tables = small_files(lake)
    tables.write(as_messages(lake, [update(0, as_of=minutes(9), code="20000009")]), {})
    messages = [
        update(1 + number, code=f"2000000{number % 10}", as_of=minutes(number)) for number in range(40)
    ]
    tables.write(as_messages(lake, messages).repartition(4), {})

    assert [row.kafka_offset for row in rows_of(lake)] == [*range(31, 41)]
    files = lake.table(f"{PRODUCTS}.data_files").collect()
    assert sum(file.record_count for file in files) == 11
    deleted = lake.table(f"{PRODUCTS}.delete_files").collect()
    assert sum(file.record_count for file in deleted) == 1, "only the row of the batch before"


def test_a_batch_of_only_older_rows_writes_no_file(lake: SparkSession) -> None:
    tables = small_files(lake)
    tables.write(
        as_messages(lake, [update(5, as_of=minutes(5)), update(6, code=EVIAN, as_of=minutes(5))]), {}
    )
    before = count_of(lake, "data_files")
    tables.write(
        as_messages(lake, [update(7), update(8, code=EVIAN)]).repartition(2), {"offstream.batch": "1"}
    )
    assert [row.kafka_offset for row in rows_of(lake)] == [5, 6]
    assert (count_of(lake, "data_files"), count_of(lake, "delete_files")) == (before, 0)


@pytest.mark.parametrize("max_rows", [5_000_000, 0], ids=["index", "merge"])
def test_nothing_is_written_if_the_check_of_a_batch_fails(lake: SparkSession, max_rows: int) -> None:
    tables = Tables(lake, max_rows)
    tables.write(as_messages(lake, [update(0)]), {})

    def fail() -> None:
        raise ValueError("lost")

    with pytest.raises(ValueError, match="lost"):
        tables.write(as_messages(lake, [update(1), update(2, code=EVIAN), Message(b"x", b"")]), {}, fail)
    assert [row.kafka_offset for row in rows_of(lake)] == [0]
    assert rows_of(lake, REJECTED) == []

    tables.write(as_messages(lake, [update(1), update(2, code=EVIAN), Message(b"x", b"")]), {})
    assert [row.kafka_offset for row in rows_of(lake)] == [1, 2]
    assert len(rows_of(lake, REJECTED)) == 1


def test_batches_share_a_data_file_and_a_file_of_deletes(lake: SparkSession) -> None:
    tables = Tables(lake, max_driver_rows=3)
    for offset in range(8):
        tables.write(as_messages(lake, [update(offset, code=f"2000000{offset}")]), {})
    assert (count_of(lake, "data_files"), count_of(lake, "delete_files")) == (3, 0)
    for offset in range(8, 12):
        tables.write(as_messages(lake, [update(offset, code=f"2000000{offset - 8}")]), {})
    assert (count_of(lake, "data_files"), count_of(lake, "delete_files")) == (4, 1)
    assert [row.kafka_offset for row in rows_of(lake)] == [8, 9, 10, 11, 4, 5, 6, 7]


def test_compaction_rewrites_small_files_while_batches_continue(lake: SparkSession) -> None:
    tables = small_files(lake)
    for offset in range(9):
        tables.write(as_messages(lake, [update(offset, code=f"2000000{offset}"), update(offset)]), {})
    before = rows_of(lake)

    assert tables.compact(PRODUCTS)

    assert rows_of(lake) == before
    assert (count_of(lake, "data_files"), count_of(lake, "delete_files")) == (1, 0)
    assert not tables.compact(PRODUCTS)
    # The index has the new places.
    tables.write(as_messages(lake, [update(9, code="20000003"), update(10)]), {})
    assert [(row.code, row.kafka_offset) for row in rows_of(lake)] == [
        *((f"2000000{offset}", 9 if offset == 3 else offset) for offset in range(9)),
        (NUTELLA, 10),
    ]
    assert written_by_merge(lake) == 0


def test_a_compaction_deletes_the_rows_that_changed_in_the_meantime(lake: SparkSession) -> None:
    tables = small_files(lake)
    for offset in range(8):
        tables.write(as_messages(lake, [update(offset, code=f"2000000{offset}")]), {})
    writer = tables._writer

    compaction = writer.startCompaction()
    tables.write(as_messages(lake, [update(8, code="20000003")]), {})
    writer.finishCompaction(compaction)

    assert [(row.code, row.kafka_offset) for row in rows_of(lake)] == [
        (f"2000000{offset}", 8 if offset == 3 else offset) for offset in range(8)
    ]
    assert count_of(lake, "data_files") == 2


def test_a_compaction_commits_nothing_of_a_batch_that_failed_in_the_meantime(lake: SparkSession) -> None:
    tables = small_files(lake)
    for offset in range(8):
        tables.write(as_messages(lake, [update(offset, code=f"2000000{offset}")]), {})
    writer, before = tables._writer, rows_of(lake)

    compaction = writer.startCompaction()
    added = writer.rewritten(compaction)
    fail_batch(lake, writer, update(8, code="20000003"))
    get_field(compaction, "table").finishCompaction(compaction, added)

    assert rows_of(lake) == before


def test_no_compaction_starts_after_a_batch_that_failed(lake: SparkSession) -> None:
    tables = small_files(lake)
    for offset in range(8):
        tables.write(as_messages(lake, [update(offset, code=f"2000000{offset}")]), {})
    fail_batch(lake, tables._writer, update(8, code="20000003"))

    assert tables._writer.startCompaction() is None


def fail_batch(lake: SparkSession, writer: Any, *messages: Message) -> None:  # noqa: ANN401 - an object of Java
    """Write a batch whose commit fails, because a property of its snapshot has no value."""
    failing: Any = lake._jvm.java.util.HashMap()  # type: ignore[union-attr]
    failing["offstream.batch-id"] = None
    writer.read(as_messages(lake, list(messages))._jdf)
    with pytest.raises(Py4JJavaError):
        writer.write(failing)


def test_a_change_by_another_writer_causes_a_new_index(lake: SparkSession) -> None:
    tables = tables_of(lake)
    tables.write(as_messages(lake, [update(0), update(1, code=EVIAN)]), {})
    lake.sql(f"DELETE FROM {PRODUCTS} WHERE code = '{EVIAN}'")
    Tables(lake).write(as_messages(lake, [update(5, code="20000000")]), {})

    tables.write(as_messages(lake, [update(2), update(3, code=EVIAN), update(4, code="20000000")]), {})

    assert [(row.code, row.kafka_offset) for row in rows_of(lake)] == [
        ("20000000", 5),
        (NUTELLA, 2),
        (EVIAN, 3),
    ]
    assert written_by_merge(lake) == 1


def test_a_compaction_that_another_writer_has_overtaken_changes_nothing(lake: SparkSession) -> None:
    tables = small_files(lake)
    for offset in range(8):
        tables.write(as_messages(lake, [update(offset, code=f"2000000{offset}")]), {})
    compaction = tables._writer.startCompaction()
    Tables(lake).write(as_messages(lake, [update(9)]), {})

    tables._writer.finishCompaction(compaction)

    assert (len(rows_of(lake)), count_of(lake, "data_files")) == (9, 9)
    tables.write(as_messages(lake, [update(10)]), {})
    assert len(rows_of(lake)) == 9


def test_without_an_index_merge_writes_each_batch(lake: SparkSession) -> None:
    tables = Tables(lake, max_indexed_rows=1)
    for offset in range(4):
        tables.write(as_messages(lake, [update(offset), update(offset, code=f"2000000{offset}")]), {})
    assert [row.kafka_offset for row in rows_of(lake)] == [0, 1, 2, 3, 3]
    assert written_by_merge(lake) == 3


def test_a_batch_with_too_many_rejected_messages_for_the_driver_is_written_by_merge(
    lake: SparkSession,
) -> None:
    large = b"x" * 1_000_000
    messages = [Message(b"nutella", large, offset=offset) for offset in range(9)]
    # In one task, since the limit is for each task.
    tables_of(lake).write(as_messages(lake, [*messages, update(9)]).coalesce(1), {})
    assert [row.kafka_offset for row in rows_of(lake, REJECTED)] == list(range(9))
    assert [row.kafka_offset for row in rows_of(lake)] == [9]
    assert written_by_merge(lake) == 1


def test_a_batch_that_changes_no_product_makes_a_snapshot_with_its_properties(lake: SparkSession) -> None:
    tables = tables_of(lake)
    tables.write(as_messages(lake, [update(1)]), {"offstream.batch-id": "0"})
    tables.write(
        as_messages(lake, [update(0), Message(b"nutella", b"", offset=2)]), {"offstream.batch-id": "1"}
    )
    snapshots = lake.table(f"{PRODUCTS}.snapshots").orderBy("committed_at").collect()
    assert [row.summary["offstream.batch-id"] for row in snapshots] == ["0", "1"]
    assert [row.kafka_offset for row in rows_of(lake)] == [1]


def test_rejected_messages_that_are_read_again_are_not_added_again(lake: SparkSession) -> None:
    wrong = [Message(b"nutella", b"", offset=offset, partition=offset % 2) for offset in range(6)]
    for batch in (wrong[2:4], wrong[:3], wrong[5:], wrong):
        # A new writer, as after a kill.
        Tables(lake).write(as_messages(lake, batch), {})
    assert [row.kafka_offset for row in rows_of(lake, REJECTED)] == [0, 2, 4, 1, 3, 5]
    assert written_by_merge(lake) == 0


def test_rejected_messages_share_a_file(lake: SparkSession) -> None:
    for offset in range(5):
        write(lake, Message(b"nutella", b"", offset=offset))
    assert [row.kafka_offset for row in rows_of(lake, REJECTED)] == list(range(5))
    assert lake.table(f"{REJECTED}.files").count() == 1


def test_many_files_of_deletes_become_one(lake: SparkSession) -> None:
    codes = [f"{20_000_000 + number}" for number in range(60)]
    small_files(lake).write(as_messages(lake, [update(0, code=code) for code in codes]), {})
    for code in codes[:20]:
        # Each writer starts another file of deletes.
        Tables(lake, max_driver_rows=60).write(as_messages(lake, [update(1, code=code)]), {})
    before = rows_of(lake)
    assert count_of(lake, "delete_files") == 20
    tables = Tables(lake)
    tables.open()

    while tables.compact(PRODUCTS):
        pass

    assert rows_of(lake) == before
    assert count_of(lake, "delete_files") <= 1
    assert written_by_merge(lake) == 0


def test_expiry_keeps_the_snapshots_that_a_query_may_still_read(lake: SparkSession) -> None:
    for offset in range(6):
        write(lake, update(offset, as_of=minutes(offset), product_name=f"at {offset}"))
    first = lake.table(f"{PRODUCTS}.snapshots").orderBy("committed_at").collect()[0]
    compact(lake, PRODUCTS)
    expire_snapshots(lake, PRODUCTS)
    as_it_was = lake.sql(f"SELECT product_name FROM {PRODUCTS} VERSION AS OF {first.snapshot_id}")
    assert [row.product_name for row in as_it_was.collect()] == ["at 0"]


def test_no_file_of_the_table_is_deleted_after_a_rollback(lake: SparkSession) -> None:
    write(lake, update(0, code=EVIAN))
    [first] = lake.table(f"{PRODUCTS}.snapshots").collect()
    write(lake, update(1, code=EVIAN, as_of=minutes(1)))
    lake.sql(f"CALL lake.system.rollback_to_snapshot('off.products', {first.snapshot_id})")
    tables = Tables(lake)
    # The first snapshot is removed, and the one that was undone is the oldest.
    for offset in range(19):
        tables.write(as_messages(lake, [update(offset)]), {})
    before, later = rows_of(lake), int(time.time() * 1000) + 600_000

    tables._writer.expireProducts(later)
    tables._writer.deleteFiles(later)

    assert count_of(lake, "snapshots") == 20
    assert rows_of(lake) == before


def test_files_are_deleted_when_no_query_can_read_them(lake: SparkSession, tmp_path: Path) -> None:
    tables = tables_of(lake)
    metadata = tmp_path / "off" / "products" / "metadata"
    minute_ms = 60_000
    started = int(time.time() * 1000)
    for offset in range(45):
        tables.write(as_messages(lake, [update(offset)]), {})
        if offset == 22:
            removed = int(time.time() * 1000)
            tables._writer.expireProducts(removed)
    tables._writer.expireProducts(started + 6 * minute_ms)
    files = {file.name for file in metadata.glob("snap-*.avro")}

    tables._writer.deleteFiles(removed + 5 * minute_ms)
    assert {file.name for file in metadata.glob("snap-*.avro")} == files
    while tables._writer.deleteFiles(removed + 5 * minute_ms + 1):
        pass

    assert len(list(metadata.glob("snap-*.avro"))) < len(files)
    assert [row.kafka_offset for row in rows_of(lake)] == [44]
    for snapshot in lake.table(f"{PRODUCTS}.snapshots").collect():
        assert lake.sql(f"SELECT * FROM {PRODUCTS} VERSION AS OF {snapshot.snapshot_id}").count() == 1


def test_expiry_keeps_the_snapshot_that_was_current_when_a_query_may_have_started(lake: SparkSession) -> None:
    age_ms = 60_000
    lake.sql(f"ALTER TABLE {PRODUCTS} SET TBLPROPERTIES ('history.expire.max-snapshot-age-ms' = '{age_ms}')")
    for offset in range(2):
        tables_of(lake).merge(as_messages(lake, [update(offset, as_of=minutes(offset))]), {})
    times = lake.sql(f"SELECT unix_millis(committed_at) AS ms FROM {PRODUCTS}.snapshots ORDER BY 1").collect()
    expired_at = times[1].ms + age_ms

    expire_snapshots(lake, PRODUCTS, expired_at - 1)
    assert count_of(lake, "snapshots") == 2
    expire_snapshots(lake, PRODUCTS, expired_at)
    assert count_of(lake, "snapshots") == 1
    assert [row.kafka_offset for row in rows_of(lake)] == [1]


@pytest.mark.parametrize("rewritten", [compact, rewrite])
def test_the_offsets_outlive_a_rewrite_and_the_snapshots_before_it(
    lake: SparkSession, rewritten: Callable[[SparkSession, str], None]
) -> None:
    offsets = {"products-events": {"0": 6}}
    for offset in range(6):
        properties = {"offstream.topic-id": "id", "offstream.offsets": json.dumps(offsets)}
        tables_of(lake).merge(as_messages(lake, [update(offset, as_of=minutes(offset))]), properties)

    rewritten(lake, PRODUCTS)
    [newest] = lake.sql(f"SELECT unix_millis(max(committed_at)) AS ms FROM {PRODUCTS}.snapshots").collect()
    expire_snapshots(lake, PRODUCTS, newest.ms + 600_000)

    assert count_of(lake, "snapshots") == 1
    held = holdings(lake).contents
    assert (held.topic_id, held.offsets) == ("id", offsets)


def test_files_that_a_killed_writer_left_are_deleted_after_three_days(
    lake: SparkSession, tmp_path: Path
) -> None:
    write(lake, update())
    before = rows_of(lake)
    data = tmp_path / "off" / "products" / "data"
    used = set(data.iterdir())
    old, young = data / "old.parquet", data / "young.parquet"
    for orphan, days in ((old, 4), (young, 2)):
        orphan.touch()
        moment = time.time() - timedelta(days=days).total_seconds()
        os.utime(orphan, (moment, moment))

    remove_orphans(lake, PRODUCTS)

    assert {file for file in data.iterdir() if file.suffix == ".parquet"} == {
        *(file for file in used if file.suffix == ".parquet"),
        young,
    }
    assert rows_of(lake) == before


def test_rows_that_another_writer_has_moved_during_a_batch_are_found_by_the_next_one(
    lake: SparkSession,
) -> None:
    tables = Tables(lake, max_driver_rows=1)
    codes = ("10000000", "20000000", "30000000", "40000000")
    first, second = ([update(code=code) for code in part] for part in (codes[:2], codes[2:]))
    newer = [update(code=code, as_of=minutes(1), product_name="newer") for code in codes]
    tables.write(as_messages(lake, first), {})
    tables.write(as_messages(lake, second), {}, lambda: rewrite(lake, PRODUCTS))
    tables.write(as_messages(lake, newer), {})
    assert [(row.code, row.product_name) for row in rows_of(lake)] == [(code, "newer") for code in codes]


@pytest.mark.parametrize(
    ("table", "merge", "message"),
    [
        (PRODUCTS, lambda read, wait: merge_products(wait(accepted(read), "code")), update()),
        (REJECTED, lambda read, wait: merge_rejected(wait(rejected(read), "topic")), Message(b"1", b"{")),
    ],
)
def test_a_merge_fails_if_another_writer_has_added_rows_since_it_read_the_table(
    lake: SparkSession,
    tmp_path: Path,
    table: str,
    merge: Callable[[DataFrame, Callable[[DataFrame, str], DataFrame]], None],
    message: Message,
) -> None:
    has_started, may_end = tmp_path / "started", tmp_path / "may-end"

    def wait(rows: DataFrame, column: str) -> DataFrame:
        """Return the same rows, which can be read when the other writer has committed."""

        def after_the_other(value: str) -> str:
            has_started.touch()
            while not may_end.exists():
                time.sleep(0.05)
            return value

        return rows.withColumn(column, F.udf(after_the_other, "string", useArrow=False)(column))

    with ThreadPoolExecutor(max_workers=1) as background:
        merged = background.submit(merge, read_messages(as_messages(lake, [message])), wait)
        until(lambda: has_started.exists() or merged.done())
        write(lake, message)
        may_end.touch()
        with pytest.raises((Py4JJavaError, PySparkException), match="conflicting files"):
            merged.result()
    assert lake.table(table).count() == 1
