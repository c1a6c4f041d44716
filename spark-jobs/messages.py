"""How Kafka messages become rows of the tables, and which messages can't be believed.

Everything here is DataFrame → DataFrame and knows no session, no address and no table. No message makes it
throw: one that did would end the stream at each of its starts, for ever.
"""

from __future__ import annotations

from functools import cache, reduce
from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql import functions as F

from products import PRODUCT, REJECTED, SCHEMA_VERSION

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import StructField

_NEVER_NULL = ("code", "as_of", "observed_at", "source")
_NEVER_NEGATIVE = ("additives_n", "last_modified_t", "rev")
ONE_OF = {
    "nutriscore_grade": ("a", "b", "c", "d", "e"),
    "nova_group": (1, 2, 3, 4),
    "environmental_score_grade": ("a-plus", "a", "b", "c", "d", "e", "f"),
    "source": ("web", "api", "export", "topic", "stdin"),
}

# `\z`, since `$` lets a line end follow.
_CODE = r"^[0-9]{8,24}\z"
# Stricter than Spark's cast, which takes `2024` and `12:30` for moments as well.
_MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)\z"
_OBJECT_BEGINS = r"^\s*\{"


class _Kind(NamedTuple):
    """A column's type in JSON: what `schema_of_variant` may call it, and what a reason calls it."""

    variant: str
    words: str


_KINDS = {
    "string": _Kind("^STRING$", "text"),
    "timestamp": _Kind("^STRING$", "a moment such as 2026-01-31T12:00:00.000Z"),
    # JSON does not tell 1 from 1.0; the latter arrives as DECIMAL(1,0).
    "int": _Kind(r"^(BIGINT|DECIMAL\(\d+,0\))$", "a whole number"),
    "bigint": _Kind(r"^(BIGINT|DECIMAL\(\d+,0\))$", "a whole number"),
    "double": _Kind(r"^(BIGINT|DOUBLE|DECIMAL\(.*)$", "a number"),
}


def read_messages(messages: DataFrame) -> DataFrame:
    """Read Kafka messages: each as it came, its `product`, and the `reason` why it can't be believed.

    In: `key`, `value` (binary), `topic`, `partition`, `offset`, `timestamp`, `headers`, as Spark's Kafka
    source gives them with `includeHeaders`. A null value is a delete of the key, true since the header
    `as-of`, or without it since the message's timestamp. Out: a null `reason` where it can be
    believed. The answer is meant to be persisted: `accepted` and `rejected` both start from it.
    """
    parsed = messages.select(*_message())
    typed = parsed.withColumn("product", _product_of_json())
    return typed.withColumn("reason", _reason()).drop("is_text", "schema_version", "json")


def accepted(read: DataFrame) -> DataFrame:
    """Of read messages, those that can be believed, as rows of the table."""
    return read.where(F.col("reason").isNull()).select(*_row())


def rejected(read: DataFrame) -> DataFrame:
    """Of read messages, those that can't be believed, as they came."""
    return read.where(F.col("reason").isNotNull()).select(*REJECTED.names)


# Columns belong to no DataFrame. These are made once, as it takes a thousand calls into the JVM: a good part
# of the time of a small batch.


@cache
def _message() -> tuple[Column, ...]:
    """What a message says: its position, its texts, its headers, its value as JSON."""
    return (
        F.make_valid_utf8(F.col("key").cast("string")).alias("key"),
        F.make_valid_utf8(F.col("value").cast("string")).alias("value"),
        F.col("topic"),
        F.col("partition").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
        F.col("timestamp").alias("kafka_timestamp"),
        F.is_valid_utf8(F.col("value").cast("string")).alias("is_text"),
        _last_header("schema-version").alias("schema_version"),
        _last_header("as-of").alias("deleted_as_of"),
        _json(F.col("value").cast("string")).alias("json"),
    )


@cache
def _product_of_json() -> Column:
    """The record, each of its columns null where JSON has nothing that it could be."""
    return F.struct(*(_typed(field).alias(field.name) for field in PRODUCT))


@cache
def _row() -> tuple[Column, ...]:
    """The columns of a row of the table."""
    deleted = F.col("value").isNull()
    of_delete = {
        "code": F.col("key"),
        "as_of": F.coalesce(_moment(F.col("deleted_as_of")), F.col("kafka_timestamp")),
        "observed_at": F.col("kafka_timestamp"),
    }
    record = (
        F.when(deleted, of_delete.get(name, F.lit(None))).otherwise(_product(name)).alias(name)
        for name in PRODUCT.names
    )
    position = (F.col(name) for name in ("kafka_partition", "kafka_offset", "kafka_timestamp"))
    return (*record, deleted.alias("deleted"), *position)


@cache
def _reason() -> Column:
    """Why a message can't be believed, of several reasons the first; null where it can."""
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
        (~_is_code(F.col("key")), F.lit("key: must be 8 to 24 digits")),
        (
            F.col("deleted_as_of").isNotNull() & _moment(F.col("deleted_as_of")).isNull(),
            F.lit(f"header as-of: must be {_KINDS['timestamp'].words}"),
        ),
    ]
    of_product = [
        (~F.col("is_text"), F.lit("value: is not UTF-8")),
        (F.col("json").isNull(), F.lit("value: is not a JSON object")),
        *((_is_of_wrong_type(field), _wrong_type(field)) for field in PRODUCT),
        *((_product(name).isNull(), F.lit(f"{name}: is missing")) for name in _NEVER_NULL),
        (~_is_code(_product("code")), F.lit("code: must be 8 to 24 digits")),
        (~F.col("key").eqNullSafe(_product("code")), F.lit("code: differs from the key")),
        *((_product(name) < 0, F.lit(f"{name}: must not be negative")) for name in _NEVER_NEGATIVE),
        *(
            (~_product(name).isin(*values), F.lit(f"{name}: must be one of {', '.join(map(str, values))}"))
            for name, values in ONE_OF.items()
        ),
    ]
    return F.coalesce(_first(of_headers), F.when(is_delete, _first(of_delete)).otherwise(_first(of_product)))


def _json(text: Column) -> Column:
    """The object in `text`, each column of the record as what JSON has there; null if there is none.

    Typed columns would let `"code": 3017620422003` through as text and call every other slip malformed,
    naming no column. As VARIANT each value keeps its own type.
    """
    columns = ", ".join(f"{name} VARIANT" for name in PRODUCT.names)
    strict = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "malformed", "allowSingleQuotes": "false"}
    json = F.from_json(text, f"{columns}, malformed STRING", strict)
    # from_json takes an array of one for its element, and does not look at what follows the object.
    is_one = F.json_array_length(F.concat(F.lit("["), text, F.lit("]"))) == 1
    return F.when(text.rlike(_OBJECT_BEGINS) & is_one & json["malformed"].isNull(), json)


def _typed(field: StructField) -> Column:
    """A column of the record from `json`, null where JSON has nothing or something of another type."""
    kind = field.dataType.simpleString()
    is_right = F.schema_of_variant(_in_json(field.name)).rlike(_KINDS[kind].variant)
    if kind == "timestamp":
        return F.when(is_right, _moment(F.try_variant_get(_in_json(field.name), "$", "string")))
    value = F.when(is_right, F.try_variant_get(_in_json(field.name), "$", kind))
    # 1e400 is JSON, and no number that a product can have.
    return F.when(F.abs(value) != float("inf"), value) if kind == "double" else value


def _first(cases: list[tuple[Column, Column]]) -> Column:
    """The words of the first case that holds, else null; the later cases are not even looked at."""
    return reduce(lambda otherwise, case: F.when(*case).otherwise(otherwise), reversed(cases), F.lit(None))


def _is_of_wrong_type(field: StructField) -> Column:
    return _product(field.name).isNull() & (F.schema_of_variant(_in_json(field.name)) != "VOID")


def _wrong_type(field: StructField) -> Column:
    return F.lit(f"{field.name}: must be {_KINDS[field.dataType.simpleString()].words}")


def _in_json(name: str) -> Column:
    return F.col(f"json.{name}")


def _product(name: str) -> Column:
    return F.col(f"product.{name}")


def _is_code(text: Column) -> Column:
    return F.coalesce(text.rlike(_CODE), F.lit(False))


def _moment(text: Column) -> Column:
    """The moment that an ISO 8601 text with a zone names; null where it names none."""
    return F.when(text.rlike(_MOMENT), text.try_cast("timestamp"))


def _last_header(name: str) -> Column:
    # Kafka lets a header come twice and the last one count; a map of them would throw (ANSI), and one such
    # message would end the stream for ever.
    named = F.filter(F.col("headers"), lambda header: header["key"] == name)
    return F.make_valid_utf8(F.try_element_at(named, F.lit(-1))["value"].cast("string"))
