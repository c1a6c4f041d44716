"""The record is that of product.ts, and the order of rows by age is total."""

from __future__ import annotations

import random
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from products import ONE_OF, PRODUCT, SCHEMA_VERSION, TABLE, age, newest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PIPELINE = Path(__file__).parents[2] / "packages" / "pipeline" / "src"
PRODUCT_TS = PIPELINE / "product" / "product.ts"
NAMES_TS = PIPELINE / "names.ts"

SPARK_TYPES = {
    "z.string": {"string"},
    "z.enum": {"string"},
    "text": {"string"},
    "per100g": {"double"},
    "count": {"int", "bigint"},
    "z.union": {"int"},
    "moment": {"timestamp"},
}
"""The Spark types of a column of product.ts, by the first word of its zod type."""


def columns_of_product_ts() -> dict[str, str]:
    text = PRODUCT_TS.read_text(encoding="utf-8")
    body = text.split("export const Product = z.strictObject({")[1].split("\n})")[0]
    return dict(re.findall(r"^  (\w+): (\w+(?:\.\w+)?)", body, re.MULTILINE))


def list_of_typescript(name: str) -> tuple[str, ...]:
    text = "".join(file.read_text(encoding="utf-8") for file in (PRODUCT_TS, NAMES_TS))
    found = re.search(rf"export const {name} = \[([^\]]*)\]", text)
    assert found is not None
    return tuple(re.findall(r"'([^']+)'", found[1]))


def test_the_record_has_the_columns_of_product_ts_in_their_order() -> None:
    assert PRODUCT.names == list(columns_of_product_ts())


@pytest.mark.parametrize(("column", "kind"), columns_of_product_ts().items())
def test_the_record_has_the_types_of_product_ts(column: str, kind: str) -> None:
    assert PRODUCT[column].dataType.simpleString() in SPARK_TYPES[kind]


def test_the_record_has_the_version_of_product_ts() -> None:
    text = PRODUCT_TS.read_text(encoding="utf-8")
    assert re.findall(r"productSchemaVersion = (\d+)", text) == [str(SCHEMA_VERSION)]


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("source", "productSources"),
        ("nutriscore_grade", "nutriScoreGrades"),
        ("environmental_score_grade", "environmentalScoreGrades"),
    ],
)
def test_the_values_of_a_column_are_those_of_typescript(column: str, name: str) -> None:
    assert ONE_OF[column] == list_of_typescript(name)


def test_the_first_difference_in_as_of_revision_and_offset_decides_which_row_is_newer(
    spark: SparkSession,
) -> None:
    moment = [datetime(2026, 1, day) for day in (1, 2)]
    oldest_first = [
        (moment[0], None, 9, 1),
        (moment[0], 0, 5, 0),
        (moment[0], 3, 1, 0),
        (moment[0], 3, 2, 0),
        (moment[0], 3, 2, 1),
        (moment[1], None, 0, 0),
        (moment[1], 0, 0, 0),
    ]
    columns = "as_of timestamp, rev bigint, kafka_offset bigint, kafka_partition int"
    rows = spark.createDataFrame(random.Random(1).sample(oldest_first, len(oldest_first)), columns)
    pairs = rows.alias("a").join(rows.alias("b"), age("a") < age("b"))
    found = pairs.select(F.struct("a.*"), F.struct("b.*")).collect()
    expected = [
        (older, newer) for place, older in enumerate(oldest_first) for newer in oldest_first[place + 1 :]
    ]
    assert sorted(map(repr, ((tuple(a), tuple(b)) for a, b in found))) == sorted(map(repr, expected))


@pytest.mark.parametrize("seed", range(8))
def test_the_newest_row_of_a_code_does_not_depend_on_the_order_of_rows(
    spark: SparkSession, seed: int
) -> None:
    rng = random.Random(seed)
    rows = [random_row(rng, offset) for offset in range(60)]
    # Some messages are repeated.
    rows += rng.sample(rows, 10)
    rng.shuffle(rows)
    given = spark.createDataFrame(rows, TABLE).repartition(rng.randint(1, 4))

    found = newest(given)

    by_code: dict[str, tuple[Any, ...]] = {}
    for row in sorted(rows, key=age_of):
        by_code[row[0]] = row
    assert found.schema == TABLE
    assert sorted(tuple(row) for row in found.collect()) == sorted(by_code.values()), f"seed {seed}"


def random_row(rng: random.Random, offset: int) -> tuple[Any, ...]:
    start = datetime(2026, 1, 1)
    row = dict.fromkeys(TABLE.names) | {
        "code": f"0000000{rng.randint(0, 5)}",
        "product_name": f"at {offset}",
        "rev": rng.choice([None, 0, 1, 2]),
        "as_of": start + timedelta(hours=rng.randint(0, 2)),
        "deleted": rng.random() < 0.3,
        "kafka_partition": 0,
        "kafka_offset": offset,
        "kafka_timestamp": start,
    }
    return tuple(row[name] for name in TABLE.names)


def age_of(row: tuple[Any, ...]) -> tuple[Any, ...]:
    values = dict(zip(TABLE.names, row, strict=True))
    rev = values["rev"]
    return (values["as_of"], -1 if rev is None else rev, values["kafka_offset"], values["kafka_partition"])
