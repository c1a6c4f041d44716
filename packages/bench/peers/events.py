"""Write generated messages to a file, one record a line. The same arguments give the same bytes.

Print one JSON object with the number of `events`.

Every record has 980 bytes. `code` is its first member and has 13 digits, so a reader finds the key without
parsing.
"""

from __future__ import annotations

import argparse
import json
import random
from datetime import datetime, timezone
from pathlib import Path

BYTES = 980
FIRST_CODE = 3_000_000_000_000
START_MS = 1_790_000_000_000
_LATE_SHARE, _LATE_MS = 0.02, 3_600_000
_LINES_AT_ONCE = 10_000
_INGREDIENTS = (
    "sucre farine de blé huile de colza eau sel arôme naturel lait écrémé en poudre cacao maigre noisettes "
    "émulsifiant lécithines amidon modifié gluten levure vinaigre moutarde tomates oignons carottes riz maïs"
).split()
_CATEGORIES = ("Biscuits", "Boissons", "Chocolats", "Conserves", "Fromages", "Plats préparés", "Soupes")


def code_of(key: int) -> str:
    """Return the code of a product."""
    return str(FIRST_CODE + key)


def value_of(key: int, rev: int, as_of_ms: int) -> bytes:
    """Return the record of a product's revision. The product decides all members except the times and `rev`."""
    choice = random.Random(key * 1_000_003 + rev)  # noqa: S311 - the records must be reproducible
    number, pick = choice.random, choice.choice
    moment = datetime.fromtimestamp(as_of_ms / 1_000, timezone.utc)
    as_of = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{as_of_ms % 1_000:03d}Z"
    code = code_of(key)
    record = {
        "code": code,
        "product_name": f"Produit {key} {pick(_INGREDIENTS)}",
        "generic_name": None,
        "quantity": f"{50 + int(850 * number())} g",
        "brands": f"Marque {int(3_000 * number())}",
        "categories": f"Aliments, {pick(_CATEGORIES)}, {pick(_CATEGORIES)}",
        "labels": None,
        "countries": "France",
        "ingredients_text": "",
        "allergens": "Gluten, Lait",
        "additives": "E322 - Lécithines",
        "additives_n": 1,
        "nutriscore_grade": pick("abcde"),
        "nova_group": pick((1, 2, 3, 4)),
        "environmental_score_grade": pick("abcdef"),
        "energy_kcal_100g": int(600 * number()),
        "fat_100g": round(50 * number(), 1),
        "saturated_fat_100g": round(20 * number(), 1),
        "carbohydrates_100g": round(80 * number(), 1),
        "sugars_100g": round(50 * number(), 1),
        "fiber_100g": round(10 * number(), 1),
        "proteins_100g": round(20 * number(), 1),
        "salt_100g": round(3 * number(), 2),
        "image_url": None,
        "url": f"https://fr.openfoodfacts.org/produit/{code}",
        "lang": "fr",
        "last_modified_t": as_of_ms // 1_000,
        "rev": rev,
        "as_of": as_of,
        "observed_at": as_of,
        "source": "export",
        "quality_flags": None,
    }
    missing = BYTES - len(_json(record))
    record["ingredients_text"] = _text_of(missing, choice)
    return _json(record)


def lines(*, events: int, keys: int, first: int, once: bool, start_ms: int) -> list[tuple[int, int, int]]:
    """Return key, revision and age of each message.

    With `once` every key occurs once and in order. Otherwise keys are drawn at random, and one message in fifty
    is an hour older than the one before it, so the newest message of a key is not always the last.
    """
    choice = random.Random(f"{start_ms} {first} {events}")  # noqa: S311
    found = []
    for event in range(events):
        key = first + (event if once else choice.randrange(keys))
        late = _LATE_MS if not once and choice.random() < _LATE_SHARE else 0
        found.append((key, event, start_ms + event - late))
    return found


def _json(record: dict[str, object]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def _text_of(size: int, choice: random.Random) -> str:
    """Return words with exactly this number of bytes."""
    text = ""
    while len(text.encode()) < size:
        text += f"{choice.choice(_INGREDIENTS)}, "
    cut = text.encode()[:size].decode(errors="ignore")
    return cut + "." * (size - len(cut.encode()))


def main() -> None:
    """Write the file of the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("file", type=Path)
    add("--events", type=int, required=True)
    add("--keys", type=int, required=True, help="number of products")
    add("--first", type=int, default=0, help="number of the first product")
    add("--once", action="store_true", help="each product once, in order")
    add("--start-ms", type=int, default=START_MS, help="age of the first message")
    args = parser.parse_args()
    chosen = lines(
        events=args.events, keys=args.keys, first=args.first, once=args.once, start_ms=args.start_ms
    )
    with args.file.open("wb") as file:
        for start in range(0, len(chosen), _LINES_AT_ONCE):
            block = (value_of(*each) + b"\n" for each in chosen[start : start + _LINES_AT_ONCE])
            file.write(b"".join(block))
    print(json.dumps({"events": len(chosen)}))


if __name__ == "__main__":
    main()
