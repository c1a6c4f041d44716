"""Messages become rows. Run: `"$PYSPARK_PYTHON" -m unittest discover jobs`."""

import unittest
from typing import ClassVar

from click_rows import click_rows
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

CLICK = """{"id": "1", "session": "a", "page": "/", "action": "view", "at": "2026-05-04T08:00:00Z"}"""


class ClickRows(unittest.TestCase):
    """Rows of some messages, in a Spark of this process."""

    spark: ClassVar[SparkSession]

    @classmethod
    def setUpClass(cls) -> None:
        """Start Spark."""
        local = SparkSession.builder.master("local[1]").config("spark.sql.session.timeZone", "UTC")
        cls.spark = local.getOrCreate()

    def rows(self, value: str) -> list[tuple[object, ...]]:
        """Return the rows of a message with this value."""
        messages = self.spark.createDataFrame([(bytearray(value.encode()), 7)], "value binary, offset long")
        rows = click_rows(messages).withColumn("at", F.col("at").cast("string"))
        return [tuple(row) for row in rows.collect()]

    def test_a_click_becomes_a_row(self) -> None:
        expected = ("1", "a", "/", "view", None, "2026-05-04 08:00:00", 7)
        self.assertEqual(self.rows(CLICK), [expected])

    def test_members_that_the_table_does_not_have_are_ignored(self) -> None:
        self.assertEqual(self.rows(CLICK.replace("}", ', "browser": "x"}')), self.rows(CLICK))

    def test_a_message_that_is_not_a_click_has_no_id(self) -> None:
        for value in ["", "not JSON", "[]", '{"session": "a"}']:
            with self.subTest(value):
                [row] = self.rows(value)
                self.assertEqual((row[0], row[-1]), (None, 7))


if __name__ == "__main__":
    unittest.main()
