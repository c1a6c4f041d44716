"""The classes in Java of this folder, compiled when the job starts.

Spark includes the compiler Janino, so no JDK is needed. A jar takes the classes to the executors. Janino
knows no lambdas, no type inference and no bridge methods, so the classes use raw types.
"""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark import SparkContext

_PACKAGE = "offstream"


def new(context: SparkContext, name: str, *arguments: object) -> Any:  # noqa: ANN401 - an object of Java
    """Make an object of a class of this folder, which has one constructor."""
    values = context._gateway.new_array(context._jvm.java.lang.Object, len(arguments))  # type: ignore[union-attr]
    for place, argument in enumerate(arguments):
        values[place] = argument
    return class_loader(context).loadClass(f"{_PACKAGE}.{name}").getConstructors()[0].newInstance(values)


def write_class(context: SparkContext, name: str, folder: Path) -> str:
    """Write a class to a folder of the class path, for all class loaders; return its full name."""
    file = f"{_PACKAGE}/{name}.class"
    (folder / _PACKAGE).mkdir(exist_ok=True)
    (folder / file).write_bytes(_classes(context)[file])
    return f"{_PACKAGE}.{name}"


@cache
def class_loader(context: SparkContext) -> Any:  # noqa: ANN401 - a ClassLoader of Java
    """Send the classes to the executors, and return their class loader."""
    java: Any = context._jvm
    # Spark deletes this folder when the program exits.
    jar = Path(context._temp_dir) / "offstream.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        for name, code in _classes(context).items():
            archive.writestr(name, code)
    context._jsc.addJar(jar.as_uri())
    urls = context._gateway.new_array(java.java.net.URL, 1)  # type: ignore[union-attr]
    urls[0] = java.java.net.URI(jar.as_uri()).toURL()
    parent = java.java.lang.Thread.currentThread().getContextClassLoader()
    return java.java.net.URLClassLoader(urls, parent)


@cache
def _classes(context: SparkContext) -> dict[str, bytes]:
    """Compile the classes once in a JVM; return the code of each by its file."""
    java: Any = context._jvm
    gateway: Any = context._gateway
    resource = java.org.codehaus.commons.compiler.util.resource
    files = sorted(Path(__file__).parent.glob("*.java"))
    sources = gateway.new_array(resource.Resource, len(files))
    for place, file in enumerate(files):
        sources[place] = resource.StringResource(file.name, file.read_text(encoding="utf-8"))
    parent = java.java.lang.Thread.currentThread().getContextClassLoader()
    classes = java.java.util.HashMap()
    compiler = java.org.codehaus.janino.Compiler()
    compiler.setIClassLoader(java.org.codehaus.janino.ClassLoaderIClassLoader(parent))
    compiler.setClassFileCreator(resource.MapResourceCreator(classes))
    compiler.compile(sources)
    return {name: bytes(classes[name]) for name in classes}
