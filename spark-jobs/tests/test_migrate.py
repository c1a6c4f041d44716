"""The tables move to another catalog with equal rows, and a stream continues there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import migrate as program
from environment import lake_settings
from holdings import ACCEPTED_LOSSES, holdings
from kafka import as_messages, update
from lake import PRODUCTS, REJECTED, Tables, ensure_tables
from locks import lock_holder
from migrate import Digest, MigrationFailedError, MigrationRefusedError, digest, migrate
from writer import TableInUseError, catalog_settings

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import Row, SparkSession

OFFSETS = {"offstream.offsets": '{"products":{"0":3}}', "offstream.topic-id": "t"}


@pytest.fixture
def target(bare_lake: SparkSession, tmp_path: Path) -> SparkSession:
    """A session whose catalog has no tables yet."""
    (tmp_path / "new").mkdir()
    for name, value in lake_settings(tmp_path / "new").items():
        bare_lake.conf.set(name, value)
    return bare_lake


@pytest.fixture
def source(spark: SparkSession, tmp_path: Path) -> SparkSession:
    """A session whose catalog has tables with two products and a rejected message."""
    folder = tmp_path / "user's"
    folder.mkdir()
    session = spark.newSession()
    for name, value in lake_settings(folder).items():
        session.conf.set(name, value)
    ensure_tables(session)
    messages = [update(0, code="20000001"), update(1, code="20000000"), update(2, code="none")]
    Tables(session).write(as_messages(session, messages), OFFSETS)
    losses = '[{"at": "2026-01-31T12:00:00Z", "reason": "none"}]'
    session.sql(f"ALTER TABLE {PRODUCTS} SET TBLPROPERTIES ('{ACCEPTED_LOSSES}' = '{losses}')")
    return session


def all_rows(session: SparkSession) -> list[list[Row]]:
    return [session.table(table).orderBy("kafka_offset").collect() for table in (PRODUCTS, REJECTED)]


def exists(session: SparkSession) -> list[bool]:
    return [session.catalog.tableExists(table) for table in (PRODUCTS, REJECTED)]


def test_tables_are_copied_with_their_offsets_and_a_stream_continues(
    source: SparkSession, target: SparkSession
) -> None:
    ensure_tables(target)
    source.sql("CREATE NAMESPACE lake.clicks")
    source.sql("CREATE TABLE lake.clicks.sessions (id int)")
    before = all_rows(source)
    steps: list[tuple[str, str]] = []

    moved, others = migrate(target, catalog_settings(source), lambda *step: steps.append(step))

    assert others == ["lake.clicks.sessions"]
    assert [(table.name, table.by, table.rows) for table in moved] == [
        (PRODUCTS, "copy", 2),
        (REJECTED, "copy", 1),
    ]
    assert steps == [(step, table) for table in (PRODUCTS, REJECTED) for step in ("copy", "compare")]
    assert all_rows(target) == all_rows(source) == before
    new, old = holdings(target), holdings(source)
    assert new.accepted_losses == old.accepted_losses
    assert new.contents[1:] == old.contents[1:] == ("t", {"products": {"0": 3}})
    Tables(target).write(as_messages(target, [update(3, code="20000002")]), {})
    assert target.table(PRODUCTS).count() == 3
    assert source.table(PRODUCTS).count() == 2


def test_with_the_same_warehouse_only_the_entries_of_the_catalog_move(
    source: SparkSession, target: SparkSession
) -> None:
    target.conf.set(
        "spark.sql.catalog.lake.warehouse", source.conf.get("spark.sql.catalog.lake.warehouse") or ""
    )
    before, held = all_rows(source), holdings(source)

    moved, others = migrate(target, catalog_settings(source))

    assert others == []
    assert [table.by for table in moved] == ["register", "register"]
    assert (all_rows(target), holdings(target)) == (before, held)
    assert exists(source) == [False, False]
    Tables(target).write(as_messages(target, [update(3, code="20000002")]), {})
    assert target.table(PRODUCTS).count() == 3


def test_tables_with_rows_are_not_replaced(source: SparkSession, target: SparkSession) -> None:
    settings = catalog_settings(source)
    migrate(target, settings)
    with pytest.raises(MigrationRefusedError, match=f"already has a table `{PRODUCTS}` with 2 rows"):
        migrate(target, settings)
    with pytest.raises(MigrationRefusedError, match=r"are in the catalog .* already"):
        migrate(source, settings)


@pytest.mark.parametrize("by", ["copy", "register"])
@pytest.mark.parametrize("step", range(5))
def test_a_killed_migration_continues(
    source: SparkSession, target: SparkSession, monkeypatch: pytest.MonkeyPatch, by: str, step: int
) -> None:
    if by == "register":
        warehouse = source.conf.get("spark.sql.catalog.lake.warehouse") or ""
        target.conf.set("spark.sql.catalog.lake.warehouse", warehouse)
    before, held = all_rows(source), holdings(source)
    steps_left = iter(range(step))

    def die(*_: object) -> None:
        # Only `except Exception` would catch it, as little as it does a signal.
        if next(steps_left, None) is None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(program._Migration, "_finish", die)
        with pytest.raises(KeyboardInterrupt):
            migrate(target, catalog_settings(source), die)
    moved, _ = migrate(target, catalog_settings(source))

    assert [(table.name, table.by, table.rows) for table in moved] == [
        (PRODUCTS, by, 2),
        (REJECTED, by, 1),
    ]
    assert all_rows(target) == before
    found = holdings(target)
    assert (found.accepted_losses, found.contents[1:]) == (held.accepted_losses, held.contents[1:])
    assert exists(source) == [by == "copy"] * 2
    if by == "copy":
        with pytest.raises(MigrationRefusedError, match="2 rows"):
            migrate(target, catalog_settings(source))


def test_a_migration_that_was_killed_between_two_old_entries_continues(
    source: SparkSession, target: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = source.conf.get("spark.sql.catalog.lake.warehouse") or ""
    target.conf.set("spark.sql.catalog.lake.warehouse", warehouse)
    before = all_rows(source)
    with monkeypatch.context() as patch:
        patch.setattr(program._Migration, "_finish", lambda _: source.sql(f"DROP TABLE {PRODUCTS}"))
        migrate(target, catalog_settings(source))
    assert [table.name for table in migrate(target, catalog_settings(source)).tables] == [REJECTED]
    assert all_rows(target) == before
    assert exists(source) == [False, False]


def test_an_empty_table_that_a_killed_migration_has_registered_keeps_its_files(
    source: SparkSession, target: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.sql(f"DELETE FROM {REJECTED}")
    warehouse = source.conf.get("spark.sql.catalog.lake.warehouse") or ""
    target.conf.set("spark.sql.catalog.lake.warehouse", warehouse)
    with monkeypatch.context() as patch:
        patch.setattr(program._Migration, "_finish", lambda _: None)
        migrate(target, catalog_settings(source))
    # As a Thrift server does if it knows other properties.
    target.sql(f"ALTER TABLE {REJECTED} SET TBLPROPERTIES ('a' = 'b')")
    migrate(target, catalog_settings(source))
    assert target.table(REJECTED).count() == 0


def test_a_catalog_without_tables_has_nothing_to_move(target: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    settings = {name: value.replace("/new", "/empty") for name, value in catalog_settings(target).items()}
    with pytest.raises(MigrationRefusedError, match="no tables"):
        migrate(target, settings)


@pytest.mark.parametrize("by", ["copy", "register"])
def test_if_the_rows_differ_the_new_tables_are_deleted_and_the_old_ones_stay(
    source: SparkSession, target: SparkSession, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    if by == "register":
        warehouse = source.conf.get("spark.sql.catalog.lake.warehouse") or ""
        target.conf.set("spark.sql.catalog.lake.warehouse", warehouse)
    before = all_rows(source)
    digests = iter([Digest(1, "a"), Digest(1, "a"), Digest(1, "a"), Digest(1, "b")])
    monkeypatch.setattr(program, "digest", lambda _: next(digests))
    with pytest.raises(MigrationFailedError, match=REJECTED):
        migrate(target, catalog_settings(source))
    assert exists(target) == [False, False]
    assert all_rows(source) == before


@pytest.mark.parametrize("folder", ["user's", "new"])
def test_tables_do_not_move_while_a_stream_writes_in_either_catalog(
    source: SparkSession, target: SparkSession, tmp_path: Path, folder: str
) -> None:
    with lock_holder(tmp_path / folder / "stream.lock"), pytest.raises(TableInUseError, match=f"/{folder}`$"):
        migrate(target, catalog_settings(source))
    assert exists(target) == [False, False]


def test_the_digest_depends_on_every_value_and_not_on_the_order(lake: SparkSession) -> None:
    def of(values: str) -> Digest:
        return digest(lake.sql(f"SELECT * FROM VALUES {values} AS rows(a, b)"))

    first = of("(1, null), (null, 2)")
    assert first.rows == 2
    assert of("(null, 2), (1, null)") == first
    others = [of(values) for values in ("(1, null)", "(1, 2), (null, null)", "(null, 1), (2, null)")]
    assert first not in others
    moments = [of(f"(TIMESTAMP '2026-01-01 00:00:00.00000{digit}', 1)") for digit in (1, 2)]
    assert moments[0] != moments[1]
