"""How Kafka messages become rows of the tables, and which messages are rejected.

MessageReader.java reads them. This module passes all columns, types, rules and reasons to Java, so that they
are written only once. No message causes an error: such a message would end the stream at each of its starts.
"""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

import java_classes
from products import (
    A_CODE,
    CODE,
    NEVER_NEGATIVE,
    NEVER_NULL,
    ONE_OF,
    PRODUCT,
    REJECTED,
    SCHEMA_VERSION,
    TABLE,
    TIME,
    TYPE_WORDS,
)

READ = StructType(
    [*TABLE.fields, *(StructField(name, StringType()) for name in ("topic", "key", "value", "reason"))]
)
"""A message that was read: a row of the table, and its content and the reason if it is invalid."""


def read_messages(messages: DataFrame) -> DataFrame:
    """Read Kafka messages: each becomes a row of the table, or has the `reason` why it is invalid.

    In: `key`, `value` (binary), `topic`, `partition`, `offset`, `timestamp`, `headers`, as Spark's Kafka
    source returns them with `includeHeaders`. A null value is a delete of the key as of the header `as-of`,
    otherwise as of the message's timestamp. Persist the result, since `accepted` and `rejected` both start
    from it.
    """
    session = messages.sparkSession
    reader = java_classes.new(session.sparkContext, "MessageReader", rules(), messages._jdf.schema())
    task = java_classes.new(session.sparkContext, "ReadTask", reader)
    rows = task.rows(messages._jdf)
    schema = session.sparkContext._jvm.org.apache.spark.sql.types.DataType.fromJson(READ.json())  # type: ignore[union-attr]
    return DataFrame(session._jsparkSession.internalCreateDataFrame(rows, schema, False), session)


def accepted(read: DataFrame) -> DataFrame:
    """Return the valid messages as rows of the table."""
    return read.where(F.col("reason").isNull()).select(*TABLE.names)


def rejected(read: DataFrame) -> DataFrame:
    """Return the invalid messages with their content and reason."""
    return read.where(F.col("reason").isNotNull()).select(*REJECTED.names)


def rules() -> str:
    """Return the rules for MessageReader.java as JSON."""
    a_time = TYPE_WORDS["timestamp"]
    return json.dumps(
        {
            "columns": [_column(field.name, field.dataType.simpleString()) for field in PRODUCT],
            "schemaVersion": SCHEMA_VERSION,
            "unknownVersion": f"header schema-version: this job reads up to {SCHEMA_VERSION}, not ",
            "invalidAsOf": f"header as-of: must be {a_time}",
            "invalidKey": f"key: must be {A_CODE}",
            "notUtf8": "value: is not UTF-8",
            "notObject": "value: is not a JSON object",
            "invalidCode": f"code: must be {A_CODE}",
            "otherKey": "code: differs from the key",
            "code": CODE,
            "time": TIME,
        }
    )


def _column(name: str, kind: str) -> dict[str, Any]:
    values = ONE_OF.get(name, ())
    return {
        "name": name,
        "type": kind,
        "wrongType": f"{name}: must be {TYPE_WORDS[kind]}",
        "missing": f"{name}: is missing" if name in NEVER_NULL else None,
        "negative": f"{name}: must not be negative" if name in NEVER_NEGATIVE else None,
        "allowed": values,
        "notAllowed": f"{name}: must be one of {', '.join(map(str, values))}" if values else None,
    }
