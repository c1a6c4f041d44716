"""How the messages of the topic become rows of the table."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

CLICK = "id string, session string, page string, action string, referrer string, at timestamp"
"""The members of a click that the table has. A missing or wrong one is null."""


def click_rows(messages: DataFrame) -> DataFrame:
    """Read one row from each message. A row without `id` is not written, because `id` is the key."""
    click = F.from_json(F.col("value").cast("string"), CLICK)
    return messages.select(click.alias("click"), "offset").select("click.*", "offset")
