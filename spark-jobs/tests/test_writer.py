"""The tables have only one writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kafka import as_messages, update
from lake import PRODUCTS, Tables
from locks import lock_holder
from offstream_jobs.batches import LockLostError
from offstream_jobs.iceberg import iceberg_table
from writer import TableInUseError, TableTakenError, claim, sole_writer

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def test_a_second_writer_is_rejected_until_the_first_is_killed(lake: SparkSession, tmp_path: Path) -> None:
    with (
        lock_holder(tmp_path / "stream.lock") as holder,
        pytest.raises(TableInUseError, match=rf"^another stream \(pid {holder.pid}\)"),
        sole_writer(lake),
    ):
        pytest.fail("two writers")
    for _ in range(2):
        with sole_writer(lake):
            pass


def test_a_stream_that_claims_a_table_keeps_the_stream_before_it_from_writing(lake: SparkSession) -> None:
    checks = []
    first = claim(iceberg_table(lake, PRODUCTS), lambda: checks.append("lock"))
    before = Tables(lake)
    before.write(as_messages(lake, [update(0)]), {}, first)
    second = claim(iceberg_table(lake, PRODUCTS), lambda: None)
    with pytest.raises(TableTakenError, match=r"^another stream \(pid \d+ on .*\), which was started later"):
        before.write(as_messages(lake, [update(1, code="20000000")]), {}, first)
    Tables(lake).write(as_messages(lake, [update(2, code="30000000")]), {}, second)
    assert (checks, lake.table(PRODUCTS).count()) == (["lock", "lock"], 2)


def test_a_table_that_cannot_be_read_is_a_lost_lock_which_stops_the_stream_between_two_batches(
    lake: SparkSession,
) -> None:
    check = claim(iceberg_table(lake, PRODUCTS), lambda: None)
    lake.sql(f"DROP TABLE {PRODUCTS}")
    with pytest.raises(LockLostError, match=r"^the table `.*products` cannot be read: "):
        check()


def test_a_batch_of_a_stream_that_has_lost_the_table_is_not_written_twice(lake: SparkSession) -> None:
    """The other stream claims the table and writes it between the last check and the commit of this one."""
    messages = [update(0), update(1, code="20000000")]

    def check() -> None:
        claim(iceberg_table(lake, PRODUCTS), lambda: None)
        Tables(lake).write(as_messages(lake, messages), {})

    Tables(lake).write(as_messages(lake, messages), {}, check)
    codes = [row.code for row in lake.table(PRODUCTS).collect()]
    assert sorted(codes) == sorted({*codes})
