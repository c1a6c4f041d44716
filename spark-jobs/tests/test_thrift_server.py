"""The Thrift server shows what `config/views.sql` says, and does not outlive its Spark."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark
import pytest

from environment import lake_settings, until
from kafka import EVIAN, NOON, NUTELLA, Message, as_messages, delete, minutes, update
from lake import Tables
from products import PRODUCT
from thrift_server import ViewError, create_views, statements

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PROJECT = Path(__file__).parents[2]
VIEWS = PROJECT / "config" / "views.sql"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;\n\nSELECT 2;\n", ["SELECT 1", "SELECT 2"]),
        (";; SELECT 1 ;;", ["SELECT 1"]),
        ("SELECT ';' AS `a;b`, \"c;d\"; SELECT 2", ["SELECT ';' AS `a;b`, \"c;d\"", "SELECT 2"]),
        (r"SELECT 'it\'s;'; SELECT 'it''s;'", [r"SELECT 'it\'s;'", "SELECT 'it''s;'"]),
        ("-- first; no\nSELECT 1 -- then; no\n; -- last; no", ["-- first; no\nSELECT 1 -- then; no"]),
        ("/* a; b */ SELECT /*+ COALESCE(1) */ 1; /* c */", ["/* a; b */ SELECT /*+ COALESCE(1) */ 1"]),
        ("SELECT 4 / 2 - 1; SELECT 1", ["SELECT 4 / 2 - 1", "SELECT 1"]),
        ("SELECT 'caf\u00e9;\n--;'", ["SELECT 'caf\u00e9;\n--;'"]),
    ],
)
def test_a_script_is_split_at_the_semicolons_that_end_its_statements(
    script: str, expected: list[str]
) -> None:
    assert statements(script) == expected


def test_the_views_show_live_products_the_columns_of_the_first_version_and_rejected_messages(
    lake: SparkSession,
) -> None:
    nutella = update(
        0,
        product_name="Nutella",
        nutriscore_grade="e",
        nova_group=4,
        environmental_score_grade="a-plus",
        salt_100g=0.107,
        sugars_100g=56.3,
        additives_n=1,
    )
    gone = (update(1, code=EVIAN), delete(EVIAN, minutes(1), offset=2))
    wrong = Message(b"nutella", b"{", offset=3)
    Tables(lake).write(as_messages(lake, [nutella, *gone, wrong]), {})

    create_views(lake, VIEWS)

    products = lake.sql("SELECT * FROM Products")
    assert products.columns == PRODUCT.names
    assert [(row.code, row.product_name, row.sugars_100g) for row in products.collect()] == [
        (NUTELLA, "Nutella", 56.3)
    ]
    assert [row.asDict() for row in lake.sql("SELECT * FROM products_v1").collect()] == [
        {
            "Nom": "Nutella",
            "Code_barres": NUTELLA,
            "Nutri_score": "E",
            "NOVA": 4,
            "Eco_Score": "A+",
            "Sel": 0.107,
            "Sucres": 56.3,
            "Additifs": 1,
        }
    ]
    assert [tuple(row) for row in lake.sql("SELECT * FROM products_rejected").collect()] == [
        ("products-events", 0, 3, NOON, "nutella", "{", "value: is not a JSON object")
    ]


def test_the_error_of_an_invalid_statement_names_the_script_and_the_statement(
    lake: SparkSession, tmp_path: Path
) -> None:
    script = tmp_path / "views.sql"
    script.write_text("CREATE OR REPLACE VIEW one AS SELECT 1;\nCREATE VIEW two AS SELECT nothing FROM one;")
    with pytest.raises(ViewError) as failure:
        create_views(lake, script)
    message = str(failure.value)
    assert message.startswith(f"{script}, statement 2: [UNRESOLVED_COLUMN.WITH_SUGGESTION] ")
    assert "\n" not in message


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def processes() -> list[tuple[int, int, str]]:
    """Return the pid, the parent and the command line of every process."""
    listed = subprocess.run(["ps", "-axwwo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    split = (line.split(maxsplit=2) for line in listed.stdout.splitlines())
    return [(int(pid), int(parent), command) for pid, parent, command in split]


def has_exited(pid: int) -> bool:
    return all(pid != living or command.endswith("<defunct>") for living, _, command in processes())


def test_the_python_process_of_the_server_exits_if_its_java_process_is_killed(
    connectors: str, tmp_path: Path
) -> None:
    port = free_port()
    settings = {
        **lake_settings(tmp_path),
        "spark.driver.extraClassPath": connectors,
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.driver.memory": "512m",
        "spark.hadoop.hive.server2.thrift.bind.host": "127.0.0.1",
        "spark.hadoop.hive.server2.thrift.port": str(port),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.ui.enabled": "false",
    }
    with (tmp_path / "thrift.log").open("w") as output:
        java = subprocess.Popen(
            [
                Path(pyspark.__file__).parent / "bin" / "spark-submit",
                *("--master", "local[1]"),
                *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
                *(Path(__file__).parents[1] / "thrift_server.py", "--views", VIEWS),
            ],
            cwd=tmp_path,
            env={**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until(lambda: answers(port) or java.poll() is not None, timeout_seconds=180)
        (python,) = [
            pid for pid, parent, command in processes() if parent == java.pid and "thrift_server" in command
        ]
        java.kill()
        java.wait()
        until(lambda: has_exited(python), timeout_seconds=30)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(java.pid, signal.SIGKILL)
        java.wait()
