"""One Spark for the whole run, and a session with its own tables for each test that needs them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import SparkSession

from broker import running_broker
from environment import HISTORIES, SEED, lake_settings
from lake import ensure_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

# PySpark converts timestamps to the time zone of the process.
os.environ["TZ"] = "UTC"
time.tzset()


def pytest_report_header() -> str:
    """Print the seed, with which a failing history can be repeated."""
    return f"random histories: OFFSTREAM_HISTORIES={HISTORIES} OFFSTREAM_SEED={SEED}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need Spark, so that `-m "not spark"` selects the fast ones."""
    for item in items:
        if {"spark", "connectors"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("spark")


@pytest.fixture(scope="session")
def connectors() -> str:
    """The class path of the connectors' jars."""
    folder = os.environ.get("OFFSTREAM_CONNECTORS")
    if not folder:
        pytest.fail("OFFSTREAM_CONNECTORS must name the folder of the connectors' jars; `./check` sets it")
    return f"{folder}/*"


@pytest.fixture(scope="session")
def spark(connectors: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A small local Spark."""
    temporary = tmp_path_factory.mktemp("spark")
    os.environ.update(
        SPARK_LOCAL_IP="127.0.0.1", SPARK_LOCAL_DIRS=str(temporary), PYSPARK_PYTHON=sys.executable
    )
    log4j = Path(__file__).with_name("log4j2.properties").as_uri()
    settings = {
        "spark.driver.extraClassPath": connectors,
        "spark.driver.extraJavaOptions": (
            f'-XX:TieredStopAtLevel=1 "-Djava.io.tmpdir={temporary}" -Dlog4j2.configurationFile={log4j}'
        ),
        "spark.driver.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
    }
    session = SparkSession.builder.master("local[2]").appName("tests").config(map={**settings}).getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker."""
    libraries = os.environ.get("OFFSTREAM_KAFKA")
    if not libraries:
        pytest.fail("OFFSTREAM_KAFKA must name the folder of Kafka's jars; `./check` sets it")
    with running_broker(tmp_path_factory.mktemp("kafka"), libraries) as address:
        yield address


@pytest.fixture
def bare_lake(spark: SparkSession, tmp_path: Path) -> SparkSession:
    """A session with its own catalog `lake`, without tables."""
    session = spark.newSession()
    for name, value in lake_settings(tmp_path).items():
        session.conf.set(name, value)
    return session


@pytest.fixture
def lake(bare_lake: SparkSession) -> SparkSession:
    """A session with its own catalog `lake` and empty tables."""
    ensure_tables(bare_lake)
    return bare_lake
