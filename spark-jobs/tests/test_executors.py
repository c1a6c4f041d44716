"""The job reports its executors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from executors import executors, summaries

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_an_executor_has_its_host_and_the_page_of_its_worker_and_the_driver_is_not_one() -> None:
    page = "http://10.0.0.4:8081/logPage/?appId=app-1&executorId=0&logType="
    logs = {"stdout": f"{page}stdout", "stderr": f"{page}stderr"}
    listed = [
        {"id": "driver", "hostPort": "10.0.0.2:4000", "totalCores": 0, "executorLogs": {}},
        {"id": "0", "hostPort": "10.0.0.4:5000", "totalCores": 2, "executorLogs": logs},
        {"id": "1", "hostPort": "node-5:5000", "totalCores": 4, "executorLogs": {}},
    ]
    assert summaries(json.dumps(listed)) == [
        {"id": "0", "host": "10.0.0.4", "cores": 2, "worker": "http://10.0.0.4:8081"},
        {"id": "1", "host": "node-5", "cores": 4, "worker": None},
    ]


def test_a_local_spark_has_no_executors(spark: SparkSession) -> None:
    assert executors(spark) == []
