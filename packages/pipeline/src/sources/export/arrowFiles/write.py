"""Writes the files of `parquetTypes.test.ts`: `uv run --with pyarrow==26.0.1 write.py`.

Each file has the same two products, with one type of Arrow that other writers use for a column.
"""

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

CODES = ["3000000000011", "34000470693"]
SECONDS = [1714000000, None]


def write(name: str, *, store_schema: bool = True, int96: bool = False, **columns: pa.Array) -> None:
    defaults = {
        "code": pa.array(CODES),
        "product_name": pa.array(["Pain", "Thé"]),
        "last_modified_t": pa.array(SECONDS, pa.int64()),
        "fat_100g": pa.array([1.5, None], pa.float64()),
    }
    pq.write_table(
        pa.table({name: column for name, column in (defaults | columns).items() if column is not None}),
        Path(__file__).parent / f"{name}.parquet",
        use_deprecated_int96_timestamps=int96,
        store_schema=store_schema,
        write_statistics=False,
    )


for unit in ("s", "ms", "us", "ns"):
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    times = [second and second * factor for second in SECONDS]
    write(f"timestamp-{unit}", last_modified_t=pa.array(times, pa.timestamp(unit)))
    write(f"timestamp-{unit}-utc", last_modified_t=pa.array(times, pa.timestamp(unit, "UTC")))
times = pa.array([second and second * 10**9 for second in SECONDS], pa.timestamp("ns"))
write("timestamp-int96", int96=True, last_modified_t=times)
write("time-text", last_modified_t=pa.array(["2024-04-24T23:06:40Z", None]))
write("time-double", last_modified_t=pa.array(SECONDS, pa.float64()))

for name, type_ in {
    "large-string": pa.large_string(),
    "string-view": pa.string_view(),
    "binary": pa.binary(),
    "large-binary": pa.large_binary(),
    "binary-view": pa.binary_view(),
    "int64": pa.int64(),
    "uint64": pa.uint64(),
    "double": pa.float64(),
    "decimal128": pa.decimal128(20, 0),
    "decimal256": pa.decimal256(40, 0),
}.items():
    codes = pa.array([int(code) for code in CODES])
    if pa.types.is_decimal(type_):
        codes = pa.array([Decimal(code) for code in CODES], type_)
    elif "int" in name or name == "double":
        codes = codes.cast(type_)
    elif "binary" in name:
        codes = pa.array([code.encode() for code in CODES], type_)
    else:
        codes = pa.array(CODES, type_)
    write(f"code-{name}", code=codes)
write("code-dictionary", code=pa.array(CODES).dictionary_encode())
write("code-large-dictionary", code=pa.array(CODES, pa.large_string()).dictionary_encode())
write("code-int-dictionary", code=pa.array([int(code) for code in CODES]).dictionary_encode())

fat = [Decimal("1.50"), None]
write("fat-float", fat_100g=pa.array([1.5, None], pa.float32()))
write("fat-half", fat_100g=pa.array([1.5, None], pa.float16()))
write("fat-decimal32", fat_100g=pa.array(fat, pa.decimal128(6, 2)))
write("fat-decimal64", fat_100g=pa.array(fat, pa.decimal128(15, 2)))
write("fat-decimal128", fat_100g=pa.array(fat, pa.decimal128(30, 2)))
write("fat-text", fat_100g=pa.array(["1.5", None]))
numbers = [[("fat_100g", 1.5), ("salt_100g", None)], None]
write("map-double", fat_100g=None, nutriments=pa.array(numbers, pa.map_(pa.string(), pa.float64())))
decimals = [[("fat_100g", Decimal("1.50"))], None]
write("map-decimal", fat_100g=None, nutriments=pa.array(decimals, pa.map_(pa.string(), pa.decimal128(9, 2))))
nutrient = pa.struct([("100g", pa.float32()), ("unit", pa.string())])
structs = [[("fat", {"100g": 1.5, "unit": "g"})], None]
write("map-struct", fat_100g=None, nutriments=pa.array(structs, pa.map_(pa.string(), nutrient)))
lists = [[{"name": "fat", "100g": 1.5}], None]
item = pa.struct([("name", pa.string()), ("100g", pa.float32())])
write("list-large", fat_100g=None, nutriments=pa.array(lists, pa.large_list(item)))
dictionary = pa.struct([("name", pa.dictionary(pa.int32(), pa.string())), ("100g", pa.decimal128(9, 2))])
items = pa.array([[{"name": "fat", "100g": Decimal("1.50")}], None], pa.list_(dictionary))
write("list-dictionary", fat_100g=None, nutriments=items)
struct = pa.array([{"fat_100g": Decimal("1.50")}, None], pa.struct([("fat_100g", pa.decimal128(9, 2))]))
write("struct-decimal", fat_100g=None, nutriments=struct)
