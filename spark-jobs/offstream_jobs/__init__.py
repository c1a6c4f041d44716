"""Streams from Kafka topics into tables of the lake, for programs that `offstream submit` runs.

A `Job` reads a topic and upserts its rows into a table. It continues after each restart where it stopped,
reports its progress, and maintains the table. The job of the products uses the same modules.
"""

from offstream_jobs.job import Job

__all__ = ["Job"]
