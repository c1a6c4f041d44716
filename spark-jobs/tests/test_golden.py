"""The golden records of packages/e2e: the record of a page becomes the row that SQL shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

from kafka import Message, as_messages
from messages import accepted, read_messages
from products import PRODUCT, SCHEMA_VERSION

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GOLDEN = Path(__file__).parents[2] / "packages" / "e2e" / "golden"


def test_there_are_golden_records() -> None:
    assert len(list(GOLDEN.glob("*/product.json"))) >= 5


@pytest.mark.parametrize("name", sorted(folder.name for folder in GOLDEN.iterdir()))
def test_a_golden_record_becomes_its_golden_row(spark: SparkSession, name: str) -> None:
    product = json.loads((GOLDEN / name / "product.json").read_text(encoding="utf-8"))
    headers = (("schema-version", str(SCHEMA_VERSION).encode()), ("source", product["source"].encode()))
    message = Message(product["code"].encode(), json.dumps(product).encode(), headers=headers)

    rows = accepted(read_messages(as_messages(spark, [message]))).select(*PRODUCT.names)

    # Timestamps as text, as `offstream query` prints them.
    timestamps = [field.name for field in PRODUCT if isinstance(field.dataType, TimestampType)]
    iso = {
        name: F.concat(F.translate(rows[name].cast("string"), " ", "T"), F.lit("Z")) for name in timestamps
    }
    (row,) = rows.withColumns(iso).collect()
    assert row.asDict() == json.loads((GOLDEN / name / "row.json").read_text(encoding="utf-8"))
