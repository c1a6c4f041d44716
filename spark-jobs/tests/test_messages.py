"""A message becomes a row of the table or a rejected message, and never an error."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from kafka import EVIAN, NOON, NUTELLA, Message, as_messages, delete, record, update
from messages import accepted, read_messages, rejected
from products import PRODUCT, REJECTED, TABLE

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

FULL = record(
    product_name="Pâte à tartiner",
    generic_name="Pâte à tartiner aux noisettes et au cacao",
    quantity="400 g",
    brands="Nutella, Ferrero",
    categories="Petit-déjeuners",
    labels="Sans gluten",
    countries="France",
    ingredients_text="Sucre, huile de palme, NOISETTES 13%",
    allergens="Lait, Fruits à coque, Soja",
    additives="E322i",
    additives_n=2,
    nutriscore_grade="e",
    nova_group=4,
    environmental_score_grade="a-plus",
    energy_kcal_100g=539,
    fat_100g=30.9,
    saturated_fat_100g=10.6,
    carbohydrates_100g=57.5,
    sugars_100g=56.3,
    fiber_100g=0,
    proteins_100g=6.3,
    salt_100g=0.107,
    image_url="https://images.example/301/762/042/2003/front_fr.jpg",
    url="https://fr.example/produit/3017620422003/nutella",
    lang="fr",
    last_modified_t=1_767_225_600,
    rev=812,
    as_of="2026-01-01T00:00:00.000Z",
    observed_at="2026-01-31T12:00:00.250Z",
    source="web",
    quality_flags="nutrition-3-or-more-values-are-identical",
)


def one_accepted(spark: SparkSession, *messages: Message) -> Row:
    (row,) = accepted(read_messages(as_messages(spark, messages))).collect()
    return row


def test_a_product_becomes_a_row_with_every_column_and_the_position_of_its_message(
    spark: SparkSession,
) -> None:
    message = update(offset=7, **FULL)._replace(partition=3)

    rows = accepted(read_messages(as_messages(spark, [message])))

    assert rows.schema.simpleString() == TABLE.simpleString()
    assert [row.asDict() for row in rows.collect()] == [
        FULL
        | {
            "as_of": datetime(2026, 1, 1),
            "observed_at": datetime(2026, 1, 31, 12, 0, 0, 250_000),
            "deleted": False,
            "kafka_partition": 3,
            "kafka_offset": 7,
            "kafka_timestamp": NOON,
        }
    ]


def test_unknown_values_and_missing_columns_become_null(spark: SparkSession) -> None:
    needed = {name: value for name, value in record().items() if value is not None}
    row = one_accepted(spark, Message(NUTELLA.encode(), json.dumps(needed).encode()))
    assert {name for name in PRODUCT.names if row[name] is None} == set(PRODUCT.names) - set(needed)


def test_an_unknown_column_is_ignored(spark: SparkSession) -> None:
    with_more = {**record(product_name="Nutella"), "packagings": [{"shape": "jar"}], "packaging": "glass"}
    row = one_accepted(spark, Message(NUTELLA.encode(), json.dumps(with_more).encode()))
    assert row.product_name == "Nutella"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31T12:00:00.001Z", datetime(2026, 1, 31, 12, 0, 0, 1_000)),
        ("2026-01-31T13:00:00.000+01:00", NOON),
    ],
)
def test_a_time_is_read_in_its_own_zone(spark: SparkSession, written: str, moment: datetime) -> None:
    assert one_accepted(spark, update(as_of=written)).as_of == moment


def test_whole_numbers_may_have_a_decimal_point(spark: SparkSession) -> None:
    value = json.dumps(record(nova_group=4.0, additives_n=0.0, sugars_100g=0)).encode()
    row = one_accepted(spark, Message(NUTELLA.encode(), value))
    assert (row.nova_group, row.additives_n, row.sugars_100g) == (4, 0, 0.0)


@pytest.mark.parametrize(
    ("as_of", "moment"),
    [
        ("2099-01-01T00:00:00.000Z", NOON),
        ("2026-01-31T12:05:00.001Z", NOON),
        ("2026-01-31T12:05:00.000Z", datetime(2026, 1, 31, 12, 5)),
    ],
)
def test_a_time_after_that_of_the_message_becomes_the_time_of_the_message(
    spark: SparkSession, as_of: str, moment: datetime
) -> None:
    assert one_accepted(spark, update(as_of=as_of)).as_of == moment
    assert one_accepted(spark, delete(as_of=as_of)).as_of == moment


@pytest.mark.parametrize("milliseconds", [-1, 0])
def test_a_message_without_a_time_does_not_limit_that_of_its_product(
    spark: SparkSession, milliseconds: int
) -> None:
    sent = datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)
    written = update(as_of="2026-01-31T12:00:00.000Z")._replace(timestamp=sent)
    assert one_accepted(spark, written).as_of == NOON


def test_a_null_value_is_a_delete_as_of_its_header(spark: SparkSession) -> None:
    row = one_accepted(spark, delete(as_of="2026-01-05T00:00:00.000Z", offset=9))
    assert {name: value for name, value in row.asDict().items() if value is not None} == {
        "code": NUTELLA,
        "as_of": datetime(2026, 1, 5),
        "observed_at": NOON,
        "deleted": True,
        "kafka_partition": 0,
        "kafka_offset": 9,
        "kafka_timestamp": NOON,
    }


def test_a_delete_without_the_header_is_as_of_the_timestamp_of_its_message(spark: SparkSession) -> None:
    assert one_accepted(spark, delete()).as_of == NOON


def test_the_last_of_two_equal_headers_counts(spark: SparkSession) -> None:
    twice = (("as-of", b"2026-01-05T00:00:00Z"), ("as-of", b"2026-01-06T00:00:00Z"), ("x", b"y"), ("x", None))
    assert one_accepted(spark, delete()._replace(headers=twice)).as_of == datetime(2026, 1, 6)


def test_a_known_schema_version_is_read(spark: SparkSession) -> None:
    headers = (("schema-version", b"1"), ("source", b"web"))
    assert one_accepted(spark, update()._replace(headers=headers)).code == NUTELLA


def with_header(name: str, value: bytes) -> Message:
    return update()._replace(headers=((name, value),))


def with_value(value: bytes) -> Message:
    return Message(NUTELLA.encode(), value)


def with_raw(column: str, json_value: str) -> Message:
    """Make a message with this JSON text in a column, since `json` cannot write all of JSON."""
    marked = json.dumps(record(**{column: "@"}))
    return with_value(marked.replace('"@"', json_value).encode())


def without(column: str) -> Message:
    product = record()
    del product[column]
    return with_value(json.dumps(product).encode())


TEXT = [name for name in PRODUCT.names if PRODUCT[name].dataType.simpleString() == "string"]
DOUBLES = [name for name in PRODUCT.names if PRODUCT[name].dataType.simpleString() == "double"]
WHOLE = [name for name in PRODUCT.names if PRODUCT[name].dataType.simpleString() in {"int", "bigint"}]
MOMENTS = [name for name in PRODUCT.names if PRODUCT[name].dataType.simpleString() == "timestamp"]
A_MOMENT = "must be a moment such as 2026-01-31T12:00:00.000Z"

REASONS: list[tuple[Message, str]] = [
    (with_header("schema-version", b"2"), "header schema-version: this job reads up to 1, not 2"),
    (with_header("schema-version", b"0"), "header schema-version: this job reads up to 1, not 0"),
    (with_header("schema-version", b"one"), "header schema-version: this job reads up to 1, not one"),
    (with_header("schema-version", b"\xff"), "header schema-version: this job reads up to 1, not \ufffd"),
    # A delete.
    (delete("nutella"), "key: must be 8 to 24 digits"),
    (Message(None, None), "key: must be 8 to 24 digits"),
    (delete(as_of="yesterday"), f"header as-of: {A_MOMENT}"),
    (delete(as_of="2026-02-30T00:00:00.000Z"), f"header as-of: {A_MOMENT}"),
    # Not a JSON object.
    (with_value(b"\xff\xfe{}"), "value: is not UTF-8"),
    (with_value(json.dumps(record()).encode() + b"\xe9"), "value: is not UTF-8"),
    (with_value(b""), "value: is not a JSON object"),
    (with_value(b"nutella"), "value: is not a JSON object"),
    (with_value(b"null"), "value: is not a JSON object"),
    (with_value(b'"{}"'), "value: is not a JSON object"),
    (with_value(b"[%s]" % json.dumps(record()).encode()), "value: is not a JSON object"),
    (with_value(json.dumps(record()).encode()[:-1]), "value: is not a JSON object"),
    (with_value(b"{'code': '3017620422003'}"), "value: is not a JSON object"),
    (with_value(json.dumps(record()).encode() * 2), "value: is not a JSON object"),
    (with_value(json.dumps(record()).encode() + b", {}"), "value: is not a JSON object"),
    (with_value(json.dumps(record()).encode() + b" }"), "value: is not a JSON object"),
    (with_value(json.dumps(record()).encode() + b"]"), "value: is not a JSON object"),
    (with_value(json.dumps(record()).encode() + b"] x"), "value: is not a JSON object"),
    (with_value(json.dumps(record()).encode() + b"]}"), "value: is not a JSON object"),
    (with_value(b"\xef\xbb\xbf" + json.dumps(record()).encode()), "value: is not a JSON object"),
    (with_value(json.dumps(record()).encode("utf-16-le")), "value: is not a JSON object"),
    (with_value(json.dumps(record()).encode() + b"\x00"), "value: is not a JSON object"),
    (with_raw("product_name", "[" * 5_000 + "]" * 5_000), "value: is not a JSON object"),
    (with_raw("salt_100g", "9" * 5_000), "value: is not a JSON object"),
    # Values of another type.
    *((with_raw(name, "12"), f"{name}: must be text") for name in TEXT),
    *((with_raw(name, '"1.5"'), f"{name}: must be a number") for name in DOUBLES),
    *((with_raw(name, "1.5"), f"{name}: must be a whole number") for name in WHOLE),
    *((with_raw(name, "1767225600"), f"{name}: {A_MOMENT}") for name in MOMENTS),
    *((with_raw(name, '"2026"'), f"{name}: {A_MOMENT}") for name in MOMENTS),
    (with_raw("product_name", "[]"), "product_name: must be text"),
    (with_raw("product_name", "{}"), "product_name: must be text"),
    (with_raw("product_name", "true"), "product_name: must be text"),
    (with_raw("salt_100g", "1e400"), "salt_100g: must be a number"),
    (with_raw("salt_100g", "-1e400"), "salt_100g: must be a number"),
    (with_raw("salt_100g", '"NaN"'), "salt_100g: must be a number"),
    (with_raw("additives_n", "3000000000"), "additives_n: must be a whole number"),
    (with_raw("rev", "9223372036854775808"), "rev: must be a whole number"),
    (with_raw("as_of", '"2026-01-31T12:00:00.000"'), f"as_of: {A_MOMENT}"),
    (with_raw("as_of", '"2026-13-01T00:00:00.000Z"'), f"as_of: {A_MOMENT}"),
    # Missing columns.
    *((without(name), f"{name}: is missing") for name in ("code", "as_of", "observed_at", "source")),
    *((with_raw(name, "null"), f"{name}: is missing") for name in ("code", "as_of", "observed_at", "source")),
    # Invalid values.
    (with_raw("code", '"1234567"'), "code: must be 8 to 24 digits"),
    (with_raw("code", f'"{"1" * 25}"'), "code: must be 8 to 24 digits"),
    (with_raw("code", '"301762042200\u0663"'), "code: must be 8 to 24 digits"),
    (with_raw("code", f'"{NUTELLA}\\n"'), "code: must be 8 to 24 digits"),
    (with_raw("code", f'"{EVIAN}"'), "code: differs from the key"),
    (update()._replace(key=None), "code: differs from the key"),
    *(
        (with_raw(name, "-1"), f"{name}: must not be negative")
        for name in ("additives_n", "last_modified_t", "rev")
    ),
    (with_raw("nutriscore_grade", '"f"'), "nutriscore_grade: must be one of a, b, c, d, e"),
    (with_raw("nutriscore_grade", '"A"'), "nutriscore_grade: must be one of a, b, c, d, e"),
    (with_raw("nova_group", "5"), "nova_group: must be one of 1, 2, 3, 4"),
    (
        with_raw("environmental_score_grade", '"a+"'),
        "environmental_score_grade: must be one of a-plus, a, b, c, d, e, f",
    ),
    (with_raw("source", '"rumour"'), "source: must be one of web, api, export, topic, stdin"),
    # The first of several reasons.
    (with_value(json.dumps(record(source="rumour", rev=-1, as_of=None)).encode()), "as_of: is missing"),
]


def test_an_invalid_message_is_rejected_with_a_reason(spark: SparkSession) -> None:
    # All in one batch: a message that threw an error would take the others with it.
    messages = [
        message._replace(offset=offset) for offset, (message, _) in enumerate((*REASONS, (update(), "")))
    ]

    read = read_messages(as_messages(spark, messages))
    wrong = rejected(read)

    assert wrong.schema.simpleString() == REJECTED.simpleString()
    reasons = {row.kafka_offset: row.reason for row in wrong.collect()}
    assert [reasons.get(offset) for offset in range(len(REASONS))] == [reason for _, reason in REASONS]
    assert [row.kafka_offset for row in accepted(read).collect()] == [len(REASONS)]


def test_a_rejected_message_is_stored_unchanged(spark: SparkSession) -> None:
    message = Message(b"\xff7", b"caf\xe9", "products-events", 2, 41, NOON)
    assert [tuple(row) for row in rejected(read_messages(as_messages(spark, [message]))).collect()] == [
        ("products-events", 2, 41, NOON, "\ufffd7", "caf\ufffd", "value: is not UTF-8")
    ]


def test_text_keeps_every_character_that_json_can_write(spark: SparkSession) -> None:
    odd = 'a "quoted" \\ back-slash, tab\t, line\n, \u0000, \U0001f36b and l\u2019\u00e9t\u00e9'
    assert one_accepted(spark, update(product_name=odd)).product_name == odd
