"""The record that the peers of the stream read, and the order of two records of a product."""

from __future__ import annotations

COLUMNS: dict[str, str] = {
    "code": "text",
    "product_name": "text",
    "generic_name": "text",
    "quantity": "text",
    "brands": "text",
    "categories": "text",
    "labels": "text",
    "countries": "text",
    "ingredients_text": "text",
    "allergens": "text",
    "additives": "text",
    "additives_n": "int",
    "nutriscore_grade": "text",
    "nova_group": "int",
    "environmental_score_grade": "text",
    "energy_kcal_100g": "number",
    "fat_100g": "number",
    "saturated_fat_100g": "number",
    "carbohydrates_100g": "number",
    "sugars_100g": "number",
    "fiber_100g": "number",
    "proteins_100g": "number",
    "salt_100g": "number",
    "image_url": "text",
    "url": "text",
    "lang": "text",
    "last_modified_t": "long",
    "rev": "long",
    "as_of": "time",
    "observed_at": "time",
    "source": "text",
    "quality_flags": "text",
}
"""Each column and its kind, in the order of the record. A test compares them with product.ts."""

TOPIC = "products-events"
HEADERS = [("schema-version", b"1")]
"""The headers of a message that offstream publishes."""
