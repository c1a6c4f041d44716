"""The class that gives Kafka's client the tokens of a command. Clients log in before they connect."""

from __future__ import annotations

import json
import subprocess
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from environment import until
from offstream_jobs.topic import DeniedError, Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession

SECURITY = "org.apache.kafka.common.security"


def jwt(**claims: object) -> str:
    """Make a token that is not signed."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, {"sub": "ana", **claims})]
    return ".".join([*(urlsafe_b64encode(part).decode().rstrip("=") for part in parts), ""])


@pytest.fixture(scope="module")
def jar(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The jar, as `kafkaClients.ts` of the pipeline makes it."""
    system: Any = spark._jvm.java.lang.System  # type: ignore[union-attr]
    java = Path(system.getProperty("java.home"), "bin", "java")
    folder = Path(__file__).parent.parent / "token"
    jar = tmp_path_factory.mktemp("token") / "token.jar"
    program = ["org.codehaus.janino.SimpleCompiler", str(folder / "ClassJar.java"), "offstream.ClassJar"]
    files = [str(folder / "TokenCommand.java"), str(jar)]
    class_path = system.getProperty("java.class.path")
    subprocess.run([str(java), "-cp", class_path, *program, *files], check=True)
    return jar


@pytest.fixture
def classes(spark: SparkSession, jar: Path) -> Any:  # noqa: ANN401 - a class loader of Java
    """The classes of the jar."""
    java: Any = spark._jvm
    urls = spark.sparkContext._gateway.new_array(java.java.net.URL, 1)  # type: ignore[union-attr]
    urls[0] = java.java.net.URI(jar.as_uri()).toURL()
    return java.java.net.URLClassLoader(urls, java.java.lang.Thread.currentThread().getContextClassLoader())


@pytest.fixture
def login(
    spark: SparkSession,
    classes: Any,  # noqa: ANN401 - a class loader of Java
    tmp_path: Path,
) -> Iterator[Callable[[str], None]]:
    """Log in with the token that a script of the shell prints."""
    java: Any = spark._jvm
    thread = java.java.lang.Thread.currentThread()
    parent = thread.getContextClassLoader()
    thread.setContextClassLoader(classes)

    def login(script: str) -> None:
        (tmp_path / "script").write_text(script)
        options = f'directory="{tmp_path}" argument0="sh" argument1="script"'
        client = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.login.callback.handler.class": "offstream.TokenCommand",
            "sasl.jaas.config": f"{SECURITY}.oauthbearer.OAuthBearerLoginModule required {options};",
        }
        Topic(spark, "127.0.0.1:1", "t", client).close()

    yield login
    thread.setContextClassLoader(parent)


def test_the_command_runs_in_the_folder_without_the_environment_of_spark(
    login: Callable[[str], None], tmp_path: Path
) -> None:
    login(f"env > seen; echo {jwt(exp=time.time() + 60)}")
    names = {line.split("=", 1)[0] for line in (tmp_path / "seen").read_text().splitlines()}
    # The shell sets the first ones.
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} <= {"PATH", "HOME", "USER", "LOGNAME", "TZ", "LC_ALL"}


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo secret; echo secret >&2; exit 3", "exit status 3"),
        ("echo secret", "it did not print a JWT"),
        ("echo a.secret.b", "it did not print a JWT"),
        (f"echo {jwt()}", "its token does not have an `exp`"),
        (f"echo {jwt(exp=1_700_000_000)}", "its token expired at 2023-11-14T22:13:20Z"),
    ],
)
def test_a_command_without_a_valid_token_is_reported_without_its_output(
    login: Callable[[str], None], script: str, reason: str
) -> None:
    with pytest.raises(DeniedError, match="LoginException") as denied:
        login(script)
    assert denied.value.code == "TOKEN_FAILED"
    assert str(denied.value).endswith(f"the command `sh` of sasl.tokenCommand failed: {reason}")
    assert "secret" not in str(denied.value)


def test_a_command_is_killed_with_the_processes_that_it_has_started(
    spark: SparkSession,
    classes: Any,  # noqa: ANN401 - a class loader of Java
) -> None:
    java: Any = spark._jvm
    command = java.java.util.ArrayList()
    for word in ("sh", "-c", "sleep 1000 & echo $!; wait"):
        command.add(word)
    process = java.java.lang.ProcessBuilder(command).start()
    output = java.java.io.InputStreamReader(process.getInputStream())
    child = int(java.java.io.BufferedReader(output).readLine())
    classes.loadClass("offstream.TokenCommand").newInstance().kill(process)
    until(lambda: not is_running(child) and not is_running(process.pid()))


def is_running(pid: int) -> bool:
    """Whether a process exists, and is not a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
