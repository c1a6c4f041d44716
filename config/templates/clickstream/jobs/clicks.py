"""Writes the clicks of a topic to the table `lake.shop.clicks`: `offstream submit jobs/clicks.py`."""

from pathlib import Path

from click_rows import click_rows

from offstream_jobs import Job

PROJECT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Run until the job is stopped."""
    job = Job()
    rows = click_rows(job.read_topic("clicks"))
    job.upsert(rows, "lake.shop.clicks", key="id", order=["at", "offset"], views=PROJECT / "views")


if __name__ == "__main__":
    main()
