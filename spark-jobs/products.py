"""The columns of a record, of a row and of a rejected message, and which of two rows is newer.

`packages/pipeline/src/product/product.ts` names the same columns: `tests/test_products.py` reads that file
and compares them, and the golden records of `packages/e2e` go through both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

SCHEMA_VERSION = 1
"""The newest `schema-version` header that this code can read: `productSchemaVersion` of product.ts."""

PRODUCT = StructType(
    [
        StructField("code", StringType()),
        StructField("product_name", StringType()),
        StructField("generic_name", StringType()),
        StructField("quantity", StringType()),
        StructField("brands", StringType()),
        StructField("categories", StringType()),
        StructField("labels", StringType()),
        StructField("countries", StringType()),
        StructField("ingredients_text", StringType()),
        StructField("allergens", StringType()),
        StructField("additives", StringType()),
        StructField("additives_n", IntegerType()),
        StructField("nutriscore_grade", StringType()),
        StructField("nova_group", IntegerType()),
        StructField("environmental_score_grade", StringType()),
        StructField("energy_kcal_100g", DoubleType()),
        StructField("fat_100g", DoubleType()),
        StructField("saturated_fat_100g", DoubleType()),
        StructField("carbohydrates_100g", DoubleType()),
        StructField("sugars_100g", DoubleType()),
        StructField("fiber_100g", DoubleType()),
        StructField("proteins_100g", DoubleType()),
        StructField("salt_100g", DoubleType()),
        StructField("image_url", StringType()),
        StructField("url", StringType()),
        StructField("lang", StringType()),
        StructField("last_modified_t", LongType()),
        StructField("rev", LongType()),
        StructField("as_of", TimestampType()),
        StructField("observed_at", TimestampType()),
        StructField("source", StringType()),
        StructField("quality_flags", StringType()),
    ]
)
"""The record: every column of product.ts, in its order."""

NEVER_NULL = ("code", "as_of", "observed_at", "source")
NEVER_NEGATIVE = ("additives_n", "last_modified_t", "rev")
ONE_OF: dict[str, tuple[str | int, ...]] = {
    "nutriscore_grade": ("a", "b", "c", "d", "e"),
    "nova_group": (1, 2, 3, 4),
    "environmental_score_grade": ("a-plus", "a", "b", "c", "d", "e", "f"),
    "source": ("web", "api", "export", "topic", "stdin"),
}
"""The values of the columns that have only some."""

# `\z`, since `$` also matches before a line end.
CODE = r"^[0-9]{8,24}\z"
A_CODE = "8 to 24 digits"
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)\z"
"""Stricter than Spark's cast to a timestamp, which also accepts `2024` and `12:30`."""

TYPE_WORDS = {
    "string": "text",
    "timestamp": "a moment such as 2026-01-31T12:00:00.000Z",
    "int": "a whole number",
    "bigint": "a whole number",
    "double": "a number",
}
"""How the reason of a rejected message names the type of a column."""

TABLE = StructType(
    [
        *PRODUCT.fields,
        StructField("deleted", BooleanType()),
        StructField("kafka_partition", IntegerType()),
        StructField("kafka_offset", LongType()),
        StructField("kafka_timestamp", TimestampType()),
    ]
)
"""A row of the table: the record, whether it is deleted, and the position of its message."""

REJECTED = StructType(
    [
        StructField("topic", StringType()),
        StructField("kafka_partition", IntegerType()),
        StructField("kafka_offset", LongType()),
        StructField("kafka_timestamp", TimestampType()),
        StructField("key", StringType()),
        StructField("value", StringType()),
        StructField("reason", StringType()),
    ]
)
"""A rejected message: its position, its content and the reason."""

_AGE = ("as_of", "rev", "kafka_offset", "kafka_partition")


def age(row: str) -> Column:
    """Return the sort key of a row: of two rows of a code, the one with the greater key is newer.

    The first difference decides: `as_of`, then `rev` (null is the oldest), then the offset in the topic. The
    partition makes the order total. It only matters if the topic got more partitions. `row` is the alias of
    the rows.
    """
    return F.struct(*(F.col(f"{row}.{name}") for name in _AGE))


def newest(rows: DataFrame) -> DataFrame:
    """Return the newest row of each code."""
    return (
        rows.alias("row")
        .groupBy("code")
        .agg(F.max_by(F.struct(*TABLE.names), age("row")).alias("newest"))
        .select(*(f"newest.{name}" for name in TABLE.names))
    )
