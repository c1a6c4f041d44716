"""Random histories: the tables match a model in Python, regardless of the order and the way of writing.

`spark-jobs/check --histories 200` runs many. The seed is in the first lines of the output of pytest.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from environment import HISTORIES, SEED
from kafka import NOON, NUTELLA, Message, as_messages, delete, minutes, update
from lake import PRODUCTS, REJECTED, Tables
from products import TABLE
from test_reader import model, mutated

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from pyspark.sql import SparkSession

    Example = Callable[[Callable[..., None]], Callable[..., None]]

_numbers = count()
_START = datetime(2026, 1, 1)


class Way(NamedTuple):
    """How a batch is written."""

    size: int
    partitions: int
    driver_rows: int
    """The number of rows that tasks return to the driver; MERGE writes the batch if it is negative."""
    compacts: bool
    """Whether a compaction follows."""


_WAYS = st.builds(
    Way,
    size=st.integers(1, 10),
    partitions=st.integers(1, 3),
    driver_rows=st.sampled_from([-1, 0, 2, 2, 2_000, 2_000]),
    compacts=st.booleans(),
)

_EVENTS = st.lists(
    st.tuples(
        st.integers(0, 4),  # which code
        st.sampled_from(["update", "update", "update", "delete", "delete now", "wrong"]),
        st.integers(0, 3),  # as_of, in minutes
        st.sampled_from([None, 0, 1]),  # rev
        st.integers(0, 2),  # partition
    ),
    min_size=1,
    max_size=30,
)


def histories(examples: int) -> Example:
    """Run a test with random examples."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        limits = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            print_blob=True,
            # A test of many Spark jobs is too slow for a long search for the smallest failing history.
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=[*HealthCheck],
        )
        decorated: Callable[..., None] = seed(SEED)(limits(test))
        return decorated

    return decorate


def codes(number: int) -> list[str]:
    """Return codes of all lengths, which no other history has; two differ only by leading zeros."""
    return [f"{number:08}", f"0{number:08}", f"{number:013}", f"9{number:017}", f"{number:024}"]


def messages_of(events: list[tuple[Any, ...]], number: int) -> list[Message]:
    """Make the messages of a history; the offsets of each partition ascend."""
    offsets: Counter[int] = Counter()
    found = []
    for which, kind, minute, rev, partition in events:
        code, offset = codes(number)[which], offsets[partition]
        offsets[partition] += 1
        if kind == "update":
            name = f"{minute} {rev} {partition} {offset}"
            message = update(offset, code=code, as_of=minutes(minute), rev=rev, product_name=name)
        elif kind == "wrong":
            message = Message(code.encode(), b"{", offset=offset)
        else:
            message = delete(code, minutes(minute) if kind == "delete" else None, offset)
            message = message._replace(timestamp=_START + timedelta(minutes=minute))
        found.append(message._replace(partition=partition, topic=f"history-{number}"))
    return found


def expected_rows(
    messages: list[Message], events: list[tuple[Any, ...]], number: int
) -> list[dict[str, Any]]:
    """Return the rows that the table must have: the newest of each code."""
    newest: dict[str, tuple[Any, dict[str, Any]]] = {}
    for message, (which, kind, minute, rev, partition) in zip(messages, events, strict=True):
        if kind == "wrong":
            continue
        moment, is_update = _START + timedelta(minutes=minute), kind == "update"
        code = codes(number)[which]
        row = dict.fromkeys(TABLE.names) | {
            "code": code,
            "product_name": f"{minute} {rev} {partition} {message.offset}" if is_update else None,
            "rev": rev if is_update else None,
            "as_of": moment,
            "observed_at": datetime(2026, 1, 2) if is_update else message.timestamp,
            "source": "web" if is_update else None,
            "deleted": not is_update,
            "kafka_partition": partition,
            "kafka_offset": message.offset,
            "kafka_timestamp": message.timestamp,
        }
        age = (moment, -1 if row["rev"] is None else rev, message.offset, partition)
        if code not in newest or age > newest[code][0]:
            newest[code] = (age, row)
    return [newest[code][1] for code in sorted(newest)]


class Writers:
    """A writer for each way; each has its own index of the same table."""

    def __init__(self, lake: SparkSession) -> None:
        """Start without a writer."""
        self._lake = lake
        self._tables: dict[int, Tables] = {}

    def write(self, messages: list[Message], way: Way) -> None:
        """Write a batch."""
        if way.driver_rows not in self._tables:
            self._tables[way.driver_rows] = Tables(self._lake, max_driver_rows=way.driver_rows)
        tables = self._tables[way.driver_rows]
        batch = as_messages(self._lake, messages).repartition(way.partitions)
        if way.driver_rows < 0:
            tables.merge(batch, {})
        else:
            tables.write(batch, {})
        if way.compacts:
            tables.compact(PRODUCTS)


@histories(HISTORIES)
@given(data=st.data(), events=_EVENTS)
def test_any_order_repetition_and_way_of_writing_gives_the_tables_of_the_model(
    lake: SparkSession, data: st.DataObject, events: list[tuple[Any, ...]]
) -> None:
    number = next(_numbers)
    messages = messages_of(events, number)
    repeated = data.draw(st.lists(st.sampled_from(messages), max_size=10), label="repeated")
    left = data.draw(st.permutations([*messages, *repeated]), label="order")
    writers = Writers(lake)
    while left:
        way = data.draw(_WAYS, label="way")
        writers.write(left[: way.size], way)
        left = left[way.size :]

    found = lake.table(PRODUCTS).where(F.col("code").isin(codes(number))).orderBy("code").collect()
    assert [row.asDict() for row in found] == expected_rows(messages, events, number)
    rejected = lake.table(REJECTED).where(f"topic = 'history-{number}'").collect()
    assert sorted((row.kafka_partition, row.kafka_offset, row.reason) for row in rejected) == sorted(
        (message.partition, message.offset, "value: is not a JSON object")
        for message in messages
        if message.value == b"{"
    )


@histories(HISTORIES)
@given(rng=st.randoms(use_true_random=False), ways=st.lists(_WAYS, min_size=1, max_size=3))
def test_each_mutated_message_is_in_the_table_or_rejected_with_its_reason(
    lake: SparkSession, rng: random.Random, ways: list[Way]
) -> None:
    number, writers, size = next(_numbers), Writers(lake), 20
    expected = {}
    for batch, way in enumerate(ways):
        messages = []
        for offset in range(size * batch, size * (batch + 1)):
            code = f"{number:09}{offset:04}"
            value = mutated(rng).replace(NUTELLA.encode(), code.encode())
            messages.append(
                Message(code.encode(), value, topic=f"history-{number}", offset=offset, timestamp=NOON)
            )
            reason = model(value, code)
            expected[offset] = reason if isinstance(reason, str) else None
        writers.write(messages, way)

    products = lake.table(PRODUCTS).where(f"code LIKE '{number:09}____'").collect()
    rejected = lake.table(REJECTED).where(f"topic = 'history-{number}'").collect()
    found = {row.kafka_offset: None for row in products} | {row.kafka_offset: row.reason for row in rejected}
    assert found == expected
    assert len(products) + len(rejected) == size * len(ways)
