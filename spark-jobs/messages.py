"""How Kafka messages become rows of the tables, and which messages are rejected.

Everything here is DataFrame → DataFrame and knows no address and no table. No message causes an error: such a
message would end the stream at each of its starts.
"""

from __future__ import annotations

from functools import cache, reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from products import A_CODE, CODE, PRODUCT, REJECTED, SCHEMA_VERSION, TIME, TYPE_WORDS
from reader import product_of

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def read_messages(messages: DataFrame) -> DataFrame:
    """Read Kafka messages: each with its content, its `product`, and the `reason` if it is invalid.

    In: `key`, `value` (binary), `topic`, `partition`, `offset`, `timestamp`, `headers`, as Spark's Kafka
    source returns them with `includeHeaders`. A null value is a delete of the key as of the header `as-of`,
    otherwise as of the message's timestamp. Out: a null `reason` if the message is valid. Persist the result,
    since `accepted` and `rejected` both start from it.
    """
    value = F.col("value")
    product = F.when(_is_utf8(), product_of(messages.sparkSession, F.col("key"), value))
    read = messages.withColumn("product", product).select(*_message_columns())
    return read.withColumn("reason", _reason()).drop("is_utf8", "schema_version")


def accepted(read: DataFrame) -> DataFrame:
    """Return the valid messages as rows of the table."""
    return read.where(F.col("reason").isNull()).select(*_row())


def rejected(read: DataFrame) -> DataFrame:
    """Return the invalid messages with their content and reason."""
    return read.where(F.col("reason").isNotNull()).select(*REJECTED.names)


# Columns do not belong to a DataFrame. These are built once, since that takes hundreds of calls into the JVM,
# a good part of the time of a small batch.


@cache
def _message_columns() -> tuple[Column, ...]:
    """Return the position of a message, its texts, its headers and its product."""
    return (
        F.make_valid_utf8(F.col("key").cast("string")).alias("key"),
        F.make_valid_utf8(F.col("value").cast("string")).alias("value"),
        F.col("topic"),
        F.col("partition").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
        F.col("timestamp").alias("kafka_timestamp"),
        _is_utf8().alias("is_utf8"),
        _last_header("schema-version").alias("schema_version"),
        _last_header("as-of").alias("deleted_as_of"),
        F.col("product"),
    )


@cache
def _row() -> tuple[Column, ...]:
    """Return the columns of a row of the table."""
    deleted = F.col("value").isNull()
    of_delete = {
        "code": F.col("key"),
        "as_of": F.coalesce(_time(F.col("deleted_as_of")), F.col("kafka_timestamp")),
        "observed_at": F.col("kafka_timestamp"),
    }
    record = {
        name: F.when(deleted, of_delete.get(name, F.lit(None))).otherwise(F.col(f"product.{name}"))
        for name in PRODUCT.names
    }
    record["as_of"] = _bounded(record["as_of"])
    columns = (column.alias(name) for name, column in record.items())
    position = (F.col(name) for name in ("kafka_partition", "kafka_offset", "kafka_timestamp"))
    return (*columns, deleted.alias("deleted"), *position)


def _bounded(as_of: Column) -> Column:
    """Return the timestamp of the message for a moment after it, which would win against all later ones."""
    # A few minutes are the difference of two clocks. The time of reading would differ in each run.
    sent = F.col("kafka_timestamp")
    return F.when(as_of > sent + F.expr("INTERVAL 5 MINUTES"), sent).otherwise(as_of)


@cache
def _reason() -> Column:
    """Return the first reason why a message is invalid; null if it is valid."""
    is_delete = F.col("value").isNull()
    version = F.col("schema_version")
    is_known_version = F.coalesce(version.try_cast("int").between(1, SCHEMA_VERSION), F.lit(False))
    of_headers = [
        (
            version.isNotNull() & ~is_known_version,
            F.concat(F.lit(f"header schema-version: this job reads up to {SCHEMA_VERSION}, not "), version),
        )
    ]
    of_delete = [
        (~F.coalesce(F.col("key").rlike(CODE), F.lit(False)), F.lit(f"key: must be {A_CODE}")),
        (
            F.col("deleted_as_of").isNotNull() & _time(F.col("deleted_as_of")).isNull(),
            F.lit(f"header as-of: must be {TYPE_WORDS['timestamp']}"),
        ),
    ]
    of_product = F.when(~F.col("is_utf8"), F.lit("value: is not UTF-8")).otherwise(F.col("product.reason"))
    return F.coalesce(_first(of_headers), F.when(is_delete, _first(of_delete)).otherwise(of_product))


def _first(cases: list[tuple[Column, Column]]) -> Column:
    """Return the text of the first case that is true, otherwise null. Later cases are not evaluated."""
    return reduce(lambda otherwise, case: F.when(*case).otherwise(otherwise), reversed(cases), F.lit(None))


def _is_utf8() -> Column:
    return F.is_valid_utf8(F.col("value").cast("string"))


def _time(text: Column) -> Column:
    """Return the timestamp of an ISO 8601 text with a zone; null if it is not one."""
    return F.when(text.rlike(TIME), text.try_cast("timestamp"))


def _last_header(name: str) -> Column:
    # In Kafka a header may occur twice, and the last one counts. A map of the headers would throw (ANSI), and
    # one such message would end the stream at each of its starts.
    named = F.filter(F.col("headers"), lambda header: header["key"] == name)
    return F.make_valid_utf8(F.try_element_at(named, F.lit(-1))["value"].cast("string"))
