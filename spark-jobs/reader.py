"""The function that reads a product from the value of a message: ProductReader.java, compiled at the start.

Reading in SQL costs several times as much CPU (see README.md). Spark includes Janino, so no JDK is needed. A
jar takes the class to the executors. This module passes all columns, types, rules and reasons to Java, so
that they are written only once.
"""

from __future__ import annotations

import json
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column

from products import (
    A_CODE,
    CODE,
    NEVER_NEGATIVE,
    NEVER_NULL,
    ONE_OF,
    PRODUCT,
    TIME,
    TYPE_WORDS,
)

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

_SOURCE = Path(__file__).with_name("ProductReader.java")
_CLASS = "offstream.ProductReader"


def product_of(spark: SparkSession, key: Column, value: Column) -> Column:
    """Read a product: a struct of its columns and the `reason` why it is invalid; null for a null value.

    `value` must be valid UTF-8. The function is marked as nondeterministic, since Spark would otherwise copy
    the call into each filter and column that uses it.
    """
    arguments = spark.sparkContext._jvm.PythonUtils.toSeq([key._jc, value._jc])  # type: ignore[union-attr]
    return Column(_function(spark.sparkContext).apply(arguments))


def rules() -> str:
    """Return what ProductReader.java has to know, as JSON."""
    return json.dumps(
        {
            "columns": [_column(field.name, field.dataType.simpleString()) for field in PRODUCT],
            "notObject": "value: is not a JSON object",
            "invalidCode": f"code: must be {A_CODE}",
            "otherKey": "code: differs from the key",
            "code": CODE,
            "time": TIME,
        }
    )


def _column(name: str, kind: str) -> dict[str, Any]:
    values = ONE_OF.get(name, ())
    return {
        "name": name,
        "type": kind,
        "wrongType": f"{name}: must be {TYPE_WORDS[kind]}",
        "missing": f"{name}: is missing" if name in NEVER_NULL else None,
        "negative": f"{name}: must not be negative" if name in NEVER_NEGATIVE else None,
        "allowed": values,
        "notAllowed": f"{name}: must be one of {', '.join(map(str, values))}" if values else None,
    }


@cache
def _function(context: SparkContext) -> Any:  # noqa: ANN401 - a UserDefinedFunction of Java
    """Compile the class once in a JVM, send it to the executors and make a function of it."""
    java: Any = context._jvm
    compiler = java.org.codehaus.janino.SimpleCompiler()
    compiler.cook(_SOURCE.read_text(encoding="utf-8"))
    classes = compiler.getBytecodes()
    # Spark deletes this folder when the program exits.
    jar = Path(context._temp_dir) / "ProductReader.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        for name in classes.keySet():
            archive.writestr(f"{name.replace('.', '/')}.class", bytes(classes[name]))
    context._jsc.addJar(jar.as_uri())
    constructor = compiler.getClassLoader().loadClass(_CLASS).getConstructors()[0]
    arguments = context._gateway.new_array(java.Object, 1)  # type: ignore[union-attr]
    arguments[0] = rules()
    reader = constructor.newInstance(arguments)
    columns = ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in PRODUCT)
    returned = java.org.apache.spark.sql.types.DataType.fromDDL(f"struct<{columns}, reason string>")
    return _udf(context, reader, returned).asNondeterministic()


def _udf(context: SparkContext, reader: Any, returned: Any) -> Any:  # noqa: ANN401 - objects of Java
    """Call `functions.udf(UDF2, DataType)` by reflection.

    `udf(Object, DataType)` of Scala fits too, and Spark rejects what it returns. Of two overloads that fit,
    py4j calls the one that the JVM lists first, and that order changes with the archive of loaded classes.
    """
    java: Any = context._jvm
    gateway: Any = context._gateway
    find = java.java.lang.Class.forName
    types = gateway.new_array(java.java.lang.Class, 2)
    types[0] = find("org.apache.spark.sql.api.java.UDF2")
    types[1] = find("org.apache.spark.sql.types.DataType")
    arguments = gateway.new_array(java.Object, 2)
    arguments[0] = reader
    arguments[1] = returned
    return find("org.apache.spark.sql.functions").getMethod("udf", types).invoke(None, arguments)
