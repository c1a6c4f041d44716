"""The executors of the job: where Spark runs its tasks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def executors(spark: SparkSession) -> list[dict[str, Any]]:
    """Return the present executors, each with its host, and the web page of the worker that runs it."""
    jvm: Any = spark._jvm
    store = spark._jsc.sc().statusStore()
    mapper = jvm.org.apache.spark.status.api.v1.JacksonMessageWriter().mapper()
    # One call, because each value of each executor would be another call to the JVM.
    return summaries(mapper.writeValueAsString(store.executorList(True)))


def summaries(listed: str) -> list[dict[str, Any]]:
    """Return what a progress file has of a list of executors, the JSON of Spark's own interface."""
    return [
        {
            "id": one["id"],
            "host": one["hostPort"].rpartition(":")[0],
            "cores": one["totalCores"],
            "worker": _origin(one["executorLogs"].get("stdout")),
        }
        for one in json.loads(listed)
        if one["id"] != "driver"
    ]


def _origin(address: str | None) -> str | None:
    """Return the scheme, host and port of an address."""
    if not address:
        return None
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
