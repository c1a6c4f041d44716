"""Messages as Spark's Kafka source gives them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from products import PRODUCT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame, SparkSession

NUTELLA = "3017620422003"
EVIAN = "3068320123264"

NOON = datetime(2026, 1, 31, 12)
"""The default timestamp of a message."""

MESSAGES = StructType(
    [
        StructField("key", BinaryType()),
        StructField("value", BinaryType()),
        StructField("topic", StringType()),
        StructField("partition", IntegerType()),
        StructField("offset", LongType()),
        StructField("timestamp", TimestampType()),
        StructField(
            "headers",
            ArrayType(StructType([StructField("key", StringType()), StructField("value", BinaryType())])),
        ),
    ]
)


class Message(NamedTuple):
    """A message of the topic. A header may occur twice."""

    key: bytes | None
    value: bytes | None
    topic: str = "products-events"
    partition: int = 0
    offset: int = 0
    timestamp: datetime = NOON
    headers: tuple[tuple[str, bytes | None], ...] | None = None


def record(**columns: object) -> dict[str, object]:
    """Make a record as product.ts writes it: other columns are null."""
    return dict.fromkeys(PRODUCT.names) | {
        "code": NUTELLA,
        "as_of": "2026-01-01T00:00:00.000Z",
        "observed_at": "2026-01-02T00:00:00.000Z",
        "source": "web",
        **columns,
    }


def update(offset: int = 0, **columns: object) -> Message:
    """Make the message of a product."""
    product = record(**columns)
    return Message(str(product["code"]).encode(), json.dumps(product).encode(), offset=offset)


def delete(code: str = NUTELLA, as_of: str | None = None, offset: int = 0) -> Message:
    """Make the message of a deleted product."""
    headers = None if as_of is None else (("as-of", as_of.encode()),)
    return Message(code.encode(), None, offset=offset, headers=headers)


def minutes(count: int) -> str:
    """Return the time `count` minutes after the start of 2026, in the format of a record."""
    moment = datetime(2026, 1, 1) + timedelta(minutes=count)
    return moment.isoformat(timespec="milliseconds") + "Z"


def as_messages(spark: SparkSession, messages: Iterable[Message]) -> DataFrame:
    """Make the DataFrame that the Kafka source would."""
    return spark.createDataFrame([tuple(message) for message in messages], MESSAGES)
