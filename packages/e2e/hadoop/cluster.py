"""A Hadoop cluster for a test: HDFS with one data node, and YARN with two node managers.

usage: cluster.py <folder of Hadoop's jars> <jar of py4j> <folder for everything that it writes>

The resource manager and the node managers are in two JVMs, because their web services replace each other in
one: a JVM has only one pipeline of Guice's filter. HDFS is in the first. When all parts run, the configuration
is in `conf/`, and the last line of the output is `ready` with the addresses of the web services of YARN, of
HDFS, and of the web services of HDFS. SIGTERM stops the cluster.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway

NODES = 2

SETTINGS = {
    "yarn.scheduler.capacity.root.queues": "default,night",
    "yarn.scheduler.capacity.root.default.capacity": "10",
    "yarn.scheduler.capacity.root.night.capacity": "90",
    "yarn.scheduler.capacity.maximum-am-resource-percent": "1.0",
    "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "99",
    "yarn.nodemanager.pmem-check-enabled": "false",
    "yarn.nodemanager.vmem-check-enabled": "false",
    "yarn.nodemanager.resource.memory-mb": "4096",
    "yarn.nodemanager.resource.cpu-vcores": "4",
    "yarn.scheduler.minimum-allocation-mb": "256",
    # The port of the web services is only written to the configuration with this setting.
    "yarn.is.minicluster": "true",
    "yarn.resourcemanager.hostname": "localhost",
    **{
        f"yarn.resourcemanager.{name}": "localhost:0"
        for name in (
            *("address", "scheduler.address", "resource-tracker.address", "admin.address"),
            "webapp.address",
        )
    },
    **{
        f"yarn.nodemanager.{name}": "localhost:0"
        for name in ("address", "localizer.address", "webapp.address", "collector-service.address")
    },
}


class Program:
    """A JVM with Hadoop's jars."""

    def __init__(self, jars: str, py4j: str) -> None:
        """Start it."""
        port, token = launch_gateway(
            jarpath=py4j,
            classpath=str(Path(jars, "*")),
            javaopts=["--add-opens", "java.base/java.lang=ALL-UNNAMED", "-Xmx768m", "-XX:+UseSerialGC"],
            java_path=str(Path(os.environ["JAVA_HOME"], "bin", "java")),
            die_on_exit=True,
            enable_auth=True,
            redirect_stdout=sys.stdout,
            redirect_stderr=sys.stderr,
        )
        gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token))
        self.java: Any = gateway.jvm.java
        self.hadoop: Any = gateway.jvm.org.apache.hadoop


def main() -> None:
    """Start the cluster, write its configuration, and wait for the signal."""
    jars, py4j, folder = sys.argv[1:]
    program = Program(jars, py4j)
    conf = program.hadoop.yarn.conf.YarnConfiguration()
    for name, value in {**SETTINGS, "hadoop.tmp.dir": f"{folder}/tmp"}.items():
        conf.set(name, value)
    hdfs_folder = program.java.io.File(f"{folder}/hdfs")
    hdfs = program.hadoop.hdfs.MiniDFSCluster.Builder(conf, hdfs_folder).numDataNodes(1).build()
    manager = program.hadoop.yarn.server.resourcemanager.ResourceManager()
    manager.init(conf)
    manager.start()
    # A class of the tests, which programs that read the configuration do not have.
    conf.unset("net.topology.node.switch.mapping.impl")
    conf_folder = Path(folder, "conf")
    conf_folder.mkdir()
    for name in ("core-site.xml", "yarn-site.xml"):
        stream = program.java.io.FileOutputStream(str(conf_folder / name))
        conf.writeXml(stream)
        stream.close()
    nodes = started_nodes(Program(jars, py4j), folder)
    while manager.getResourceScheduler().getNumClusterNodes() < NODES:
        time.sleep(0.1)
    addresses = ("yarn.resourcemanager.webapp.address", "fs.defaultFS", "dfs.namenode.http-address")
    print("ready", *map(conf.get, addresses), flush=True)

    def stop(*_: object) -> None:
        for part in (*nodes, manager):
            part.stop()
        hdfs.shutdown()
        sys.exit()

    signal.signal(signal.SIGTERM, stop)
    while True:
        signal.pause()


def started_nodes(program: Program, folder: str) -> list[Any]:
    """Start the node managers, which know the addresses of the resource manager from its configuration."""
    program.hadoop.metrics2.lib.DefaultMetricsSystem.setMiniClusterMode(True)
    nodes = []
    for number in range(NODES):
        conf = program.hadoop.yarn.conf.YarnConfiguration()
        conf.addResource(program.hadoop.fs.Path(f"file:{folder}/conf/yarn-site.xml"))
        conf.set("yarn.nodemanager.local-dirs", f"{folder}/node-{number}/local")
        conf.set("yarn.nodemanager.log-dirs", f"{folder}/node-{number}/logs")
        node = program.hadoop.yarn.server.nodemanager.NodeManager()
        node.init(conf)
        node.start()
        nodes.append(node)
    return nodes


if __name__ == "__main__":
    main()
