"""Who may use the Thrift server, and the key store of its certificate."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from py4j.protocol import Py4JJavaError

import java_classes
from thrift_security import forget_key_store, require_login, use_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession

SALT = b"0123456789abcdef"
ITERATIONS = 1_000


def write_login(file: Path, user: str, password: str) -> None:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT, ITERATIONS)
    values = {"salt": base64.b64encode(SALT).decode(), "hash": base64.b64encode(digest).decode()}
    lines = {"user": user, "iterations": ITERATIONS, **values}.items()
    file.write_text("".join(f"{name}={value}\n" for name, value in lines), encoding="ascii")


def parts_of(text: str) -> list[str]:
    """The lines of the PEM parts in the output of openssl."""
    parts = re.findall(r"-----BEGIN.*?-----END[^\n]*", text, re.DOTALL)
    return [line for part in parts for line in part.splitlines()]


@pytest.fixture
def accepts(spark: SparkSession, tmp_path: Path) -> Callable[[str, str], bool]:
    """Whether the server accepts a login, as Hive asks for it; the user is ana, the password open."""
    file = tmp_path / "login.properties"
    write_login(file, "ana", "open")
    require_login(spark, file, tmp_path)
    java: Any = spark._jvm
    gateway: Any = spark.sparkContext._gateway
    name = java.java.lang.System.getProperty("hive.server2.custom.authentication.class")
    assert (tmp_path / f"{name.replace('.', '/')}.class").is_file()
    (constructor,) = java_classes.class_loader(spark.sparkContext).loadClass(name).getConstructors()

    def accepts(user: str, password: str) -> bool:
        provider = constructor.newInstance(gateway.new_array(java.java.lang.Object, 0))
        try:
            provider.Authenticate(user, password)
        except Py4JJavaError as error:
            if "javax.security.sasl.AuthenticationException" not in str(error):
                raise
            return False
        return True

    return accepts


def test_only_the_user_with_the_password_is_accepted(accepts: Callable[[str, str], bool]) -> None:
    assert accepts("ana", "open")
    assert accepts("ana", "open")
    wrong = [("ana", "Open"), ("bob", "open"), ("an", "aopen"), ("ana", "")]
    assert [accepts(*login) for login in wrong] == [False] * 4


def test_a_new_password_replaces_the_one_that_was_accepted_last(
    accepts: Callable[[str, str], bool], tmp_path: Path
) -> None:
    assert accepts("ana", "open")
    write_login(tmp_path / "login.properties", "ana", "sesame")
    assert [accepts("ana", "open"), accepts("ana", "sesame")] == [False, True]
    (tmp_path / "login.properties").unlink()
    assert not accepts("ana", "sesame")


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_the_key_store_has_the_key_and_its_chain_and_the_password_is_forgotten(
    spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    pem = tmp_path / "key.pem"
    size = "ec_paramgen_curve:prime256v1" if kind == "ec" else "rsa_keygen_bits:2048"
    new_key = ["-newkey", kind, "-pkeyopt", size, "-nodes", "-subj", "/CN=thrift", "-days", "2"]
    openssl = ["openssl", "req", "-x509", *new_key, "-keyout", "-"]
    pem.write_bytes(subprocess.run(openssl, capture_output=True, check=True).stdout)
    use_key(spark, pem)
    configuration = spark.sparkContext._jsc.hadoopConfiguration()
    path = configuration.get("hive.server2.keystore.path")
    password = configuration.get("hive.server2.keystore.password")
    openssl = ["openssl", "pkcs12", "-in", path, "-passin", f"pass:{password}", "-nodes"]
    stored = subprocess.run(openssl, capture_output=True, check=True, text=True).stdout
    assert pem.read_text().splitlines() == parts_of(stored)
    assert Path(path).stat().st_mode & 0o777 == 0o600

    forget_key_store(spark)
    assert configuration.get("hive.server2.keystore.password") is None
