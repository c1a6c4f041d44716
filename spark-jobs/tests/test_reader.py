"""Mutated messages: the reader in Java agrees with a model of its rules in Python."""

from __future__ import annotations

import json
import random
import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from kafka import NUTELLA, Message, as_messages
from messages import read_messages
from products import CODE, NEVER_NEGATIVE, NEVER_NULL, ONE_OF, PRODUCT, TIME, TYPE_WORDS
from test_messages import FULL

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

VALUES = r"""
null true 0 -0 -0.0 1.0 1.50 40.00 4e0 1e2 1E400 -1 -1e400 3000000000 9223372036854775807 9223372036854775808
12345678901234567890123456789012345678901234567890 0.1234567890123456789012345678901234567890123
4.00000000000000000000000000000000000000000 NaN Infinity 01 +1 .5 1. 'x' "" "x" "a" "api" "12345678" 7 2
"\ud800" "\u0000" [] {} [1,{"a":[2]}] {"a":1} "2026-01-31T12:00:00Z" "2026-02-29T12:00:00Z"
"2026-01-31T24:00:00Z" "2026-01-31T23:59:60Z" "2026-01-31T12:00:00+01:00" "2026-01-31T12:00:00.1234567Z"
"""
BYTES = [
    *(character.encode() for character in '{}[],:"\\ \n\t\x00\x0b\x0ce-.0\u00a0\ufeff'),
    *(b"\xff", b"\xc3", b"//", b"/**/", b"] x", b"]}", b"}]"),
]


class Number(str):
    """A number of JSON as it is written."""

    __slots__ = ()


def mutated(rng: random.Random) -> bytes:
    """Return the JSON of a record with up to three mutations."""
    value = json.dumps(FULL, ensure_ascii=rng.random() < 0.5).encode()
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        place, name, other = (
            rng.randrange(len(value) + 1),
            rng.choice(PRODUCT.names),
            rng.choice(VALUES.split()),
        )
        match rng.randrange(6):
            case 0:
                pattern = rf'"{name}": (?:"(?:[^"\\]|\\.)*"|[^,}}"]*)'.encode()
                value = re.sub(pattern, lambda _: f'"{name}": {other}'.encode(), value, count=1)  # noqa: B023
            case 1:
                value = value[:place] + rng.choice(BYTES) + value[place:]
            case 2:
                value = value[:place] + value[place + 1 :]
            case 3:
                value += rng.choice(BYTES) + rng.choice([b"", b"x", b" "])
            case 4:
                value = value[:-1] + f', "{name}": {other}}}'.encode()
            case _:
                value = f'{{"{rng.choice([name, "more"])}": {other}, '.encode() + value[1:]
    return value


def model(value: bytes, code: str = NUTELLA) -> dict[str, Any] | str:
    """Return the record of a message or the reason to reject it."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return "value: is not UTF-8"
    try:
        found = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=not_json)
    except (ValueError, TypeError):
        return "value: is not a JSON object"
    if not isinstance(found, dict):
        return "value: is not a JSON object"
    record = {}
    for field in PRODUCT:
        kind, name = field.dataType.simpleString(), field.name
        record[name] = None if found.get(name) is None else typed(kind, found[name])
    wrong = [name for name in PRODUCT.names if record[name] is None and found.get(name) is not None]
    if wrong:
        return f"{wrong[0]}: must be {TYPE_WORDS[PRODUCT[wrong[0]].dataType.simpleString()]}"
    return problem(record, code) or record


def not_json(constant: str) -> None:
    raise ValueError(constant)


def typed(kind: str, value: object) -> object:
    """Return the value of a column, or None if it has another type."""
    if kind in {"string", "timestamp"}:
        is_text = isinstance(value, str) and not isinstance(value, Number)
        return value if is_text and (kind == "string" or is_time(str(value))) else None
    if not isinstance(value, Number):
        return None
    if kind == "double":
        return None if abs(float(value)) == float("inf") else float(value)
    number = Decimal(value)
    _, digits, exponent = number.as_tuple()
    is_exact = "e" not in value.lower() and len(digits) <= 38 and -int(exponent) <= 38
    bits = 31 if kind == "int" else 63
    is_whole = is_exact and number == number.to_integral_value() and -(2**bits) <= number < 2**bits
    return int(number) if is_whole else None


def is_time(text: str) -> bool:
    if not re.match(TIME.replace(r"\z", r"\Z"), text, re.ASCII):
        return False
    try:
        datetime.strptime(re.sub(r"\.\d+", "", text), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return False
    # `strptime` accepts a leap second.
    return ":60" not in text


def problem(record: dict[str, Any], code: str) -> str | None:
    for name in NEVER_NULL:
        if record[name] is None:
            return f"{name}: is missing"
    if not re.match(CODE.replace(r"\z", r"\Z"), record["code"]):
        return "code: must be 8 to 24 digits"
    if record["code"] != code:
        return "code: differs from the key"
    for name in NEVER_NEGATIVE:
        if (record[name] or 0) < 0:
            return f"{name}: must not be negative"
    for name, values in sorted(ONE_OF.items(), key=lambda item: PRODUCT.names.index(item[0])):
        if record[name] is not None and record[name] not in values:
            return f"{name}: must be one of {', '.join(map(str, values))}"
    return None


@pytest.mark.parametrize("seed", range(3))
def test_mutated_messages_become_the_record_or_the_reason_of_the_model(
    spark: SparkSession, seed: int
) -> None:
    rng = random.Random(seed)
    values = [mutated(rng) for _ in range(1_500)]
    messages = [Message(NUTELLA.encode(), value, offset=offset) for offset, value in enumerate(values)]
    # Times are compared as valid or not; test_messages.py compares their values.
    names = [name for name in PRODUCT.names if PRODUCT[name].dataType.simpleString() != "timestamp"]

    read = read_messages(as_messages(spark, messages)).orderBy("kafka_offset")
    rows = read.select("reason", F.struct(*names).alias("record")).collect()

    for value, row in zip(values, rows, strict=True):
        expected = model(value)
        if isinstance(expected, str):
            assert row.reason == expected, value
        else:
            # A lone surrogate is not text: Java writes `?`.
            texts = {
                name: each.encode("utf-8", "replace").decode() if isinstance(each, str) else each
                for name, each in expected.items()
            }
            assert (row.reason, row.record.asDict()) == (None, {name: texts[name] for name in names}), value
    accepted = sum(row.reason is None for row in rows)
    assert 200 < accepted < 1_300
