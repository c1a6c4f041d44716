"""Password and TLS of the Thrift server.

No secret is a property of Spark, because SQL clients can read those: the file of the login has only a hash,
and the password of the key store exists only in this process.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import java_classes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_KEY_STORE_PATH = "hive.server2.keystore.path"
_KEY_STORE_PASSWORD = "hive.server2.keystore.password"  # noqa: S105 - a name
_LOGIN_CLASS = "hive.server2.custom.authentication.class"
_LOGIN_FILE = "offstream.thrift.login"


def require_login(spark: SparkSession, file: Path, folder: Path) -> None:
    """Make the server accept only the user in a file, see `ThriftLogin`; `folder` is in the class path."""
    system: Any = spark._jvm.java.lang.System  # type: ignore[union-attr]
    # Hive reads the name of the class from the properties of the process, not from those of Spark.
    system.setProperty(_LOGIN_CLASS, java_classes.write_class(spark.sparkContext, "ThriftLogin", folder))
    system.setProperty(_LOGIN_FILE, str(file))


def use_key(spark: SparkSession, file: Path) -> None:
    """Make the server use the private key and the certificates in a PEM file: copy them to a key store."""
    store = Path(spark.sparkContext._temp_dir) / "thrift.p12"
    password = secrets.token_urlsafe(32)
    os.close(os.open(store, os.O_CREAT | os.O_WRONLY, 0o600))
    keys = java_classes.new(spark.sparkContext, "ThriftKeyStore", file.read_text(encoding="ascii"), password)
    keys.write(str(store), password)
    configuration = spark.sparkContext._jsc.hadoopConfiguration()
    configuration.set(_KEY_STORE_PATH, str(store))
    configuration.set(_KEY_STORE_PASSWORD, password)


def forget_key_store(spark: SparkSession) -> None:
    """The running server needs the password of the key store no more, and clients must not see it."""
    spark.sparkContext._jsc.hadoopConfiguration().unset(_KEY_STORE_PASSWORD)
