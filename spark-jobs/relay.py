"""Runs stream.py in YARN in deploy mode cluster, and represents its driver on this machine.

usage: relay.py OPTION… -- COMMAND…

COMMAND is a call of spark-submit, with the tag of `--tag`. This program runs it, follows the application, and
exchanges files with its driver (see exchange.py). So the supervisor and all commands use local files, as in
client mode. The program exits when the application has finished. If it was killed, its next start kills the
application that it has left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchange import INTERVAL_SECONDS, Exchange
from offstream_jobs.batches import session
from offstream_jobs.checkpoint import Checkpoint
from offstream_jobs.program import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import SparkSession

_FINISHED = ("FINISHED", "FAILED", "KILLED")
_STOP_SECONDS = 25
"""How long a job may take to stop between two batches. `stopTimeoutMs` in `productsStream.ts` is longer."""
_POLL_SECONDS = 0.2


class Applications:
    """The applications in YARN that have a tag."""

    def __init__(self, spark: SparkSession, tag: str) -> None:
        """Connect as the user that submits them."""
        jvm: Any = spark._jvm
        yarn = jvm.org.apache.hadoop.yarn
        self._requests = yarn.api.protocolrecords.GetApplicationsRequest
        self._tags = jvm.java.util.Set.of(tag)
        hadoop = spark._jsc.hadoopConfiguration()
        self._client = yarn.client.api.YarnClient.createYarnClient()
        self._client.init(yarn.conf.YarnConfiguration(hadoop))
        self._client.start()

    def newest(self) -> Any | None:  # noqa: ANN401 - a report of Hadoop
        """Return the report about the application that was submitted last."""
        return max(self._all(), key=lambda report: report.getStartTime(), default=None)

    def kill(self) -> None:
        """Kill those that have not finished."""
        for report in self._all():
            if _state(report) not in _FINISHED:
                print(f"{_id(report)} is killed", file=sys.stderr, flush=True)
                self._client.killApplication(report.getApplicationId())

    def _all(self) -> list[Any]:
        request = self._requests.newInstance()
        request.setApplicationTags(self._tags)
        return list(self._client.getApplications(request))


class Relay:
    """Follows one application."""

    def __init__(self, applications: Applications, exchange: Exchange, args: argparse.Namespace) -> None:
        """The application has been submitted."""
        self._applications = applications
        self._exchange = exchange
        self._progress: Path = args.progress
        self._batches: Path = args.batches
        self._stop_file: Path = args.stop_file
        self._optimize_file: Path = args.optimize_file
        self._kill_at: float | None = None
        self._shown = ""
        self.is_done = False

    def step(self) -> None:
        """Look at the application and exchange the files. This fails if YARN or HDFS does not respond."""
        report = self._applications.newest()
        state = "UNKNOWN" if report is None else _state(report)
        self._show(report, state)
        if self._kill_at is None and self._stop_file.exists():
            # A driver that does not run yet cannot take the request.
            self._kill_at = time.monotonic() + (_STOP_SECONDS if state == "RUNNING" else 0)
        # A submission that was stopped early may have no application.
        if state in _FINISHED or (report is None and self._kill_at is not None):
            self.is_done = True
        elif self._must_be_killed():
            self._applications.kill()
        # The last step: it may fail, and must not prevent a kill.
        self._exchange_files()

    def failure(self) -> str | None:
        """Return why the application has failed; None if it has stopped on request."""
        report = self._applications.newest()
        if report is None or self._kill_at is not None:
            return None
        outcome = report.getFinalApplicationStatus().toString()
        return None if outcome == "SUCCEEDED" else f"{_id(report)}: {outcome}, {_diagnostics(report)}"

    def _exchange_files(self) -> None:
        for file in (self._progress, self._batches):
            self._exchange.receive(file)
        for request in (self._optimize_file, self._stop_file):
            self._exchange.hand_over(request)

    def _must_be_killed(self) -> bool:
        """Whether the job did not stop in time, or has failed and YARN would only repeat the failure."""
        return (self._kill_at is not None and time.monotonic() > self._kill_at) or _is_final(self._progress)

    def _show(self, report: Any | None, state: str) -> None:  # noqa: ANN401 - a report of Hadoop
        if report is None:
            return
        attempt = report.getCurrentApplicationAttemptId().getAttemptId()
        shown = f"{_id(report)} is {state}, attempt {attempt}, pages: {report.getTrackingUrl()}"
        if shown != self._shown:
            print(shown, file=sys.stderr, flush=True)
        self._shown = shown


def main() -> None:
    """Submit the application and follow it until it has finished."""
    args, command = _arguments()
    spark = session()
    try:
        _relay(spark, args, command)
    finally:
        spark.stop()


def _relay(spark: SparkSession, args: argparse.Namespace, command: Sequence[str]) -> None:
    applications = Applications(spark, args.tag)
    exchange = Exchange(spark, args.exchange)
    # An application that a killed relay has left behind has the lock of the tables, and perhaps old settings.
    applications.kill()
    exchange.clear()
    Checkpoint(spark, args.checkpoint).adopt(args.new_checkpoint)
    write_archive(args.modules, args.archive)
    try:
        _submit(command, args.stop_file)
        relay = Relay(applications, exchange, args)
        while not relay.is_done:
            exchange.attempt(relay.step)
            time.sleep(INTERVAL_SECONDS)
        failure = relay.failure()
        if failure is not None:
            raise RuntimeError(failure)
    finally:
        applications.kill()
        # Spark leaves the files, with the secrets, of an application that was killed or not submitted.
        exchange.clear()


def _submit(command: Sequence[str], stop_file: Path) -> None:
    """Run spark-submit until YARN has accepted the application, or a stop is requested."""
    # The variables of this program are for its own connection to Java, and its own modules.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH" and not name.startswith("PYSPARK_")
    }
    with subprocess.Popen(command, env=environment) as submission:  # noqa: S603 - offstream's own command
        while submission.poll() is None:
            if stop_file.exists():
                submission.terminate()
            time.sleep(_POLL_SECONDS)
    if submission.returncode != 0 and not stop_file.exists():
        raise RuntimeError(f"spark-submit exited with status {submission.returncode}")


def write_archive(modules: Path, archive: Path) -> None:
    """Write the programs of a folder to an archive, which YARN unpacks where the driver runs."""
    archive.unlink(missing_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        for pattern in ("*.py", "*.java", "offstream_jobs/*.py"):
            for file in sorted(modules.glob(pattern)):
                written.write(file, file.relative_to(modules))


def _is_final(progress: Path) -> bool:
    """Whether the job has failed with an error that only the user can fix."""
    if not progress.exists():
        return False
    fields = json.loads(progress.read_text(encoding="utf-8"))
    return fields["state"] == "failed" and fields["code"] is not None


def _state(report: Any) -> str:  # noqa: ANN401 - a report of Hadoop
    state: str = report.getYarnApplicationState().toString()
    return state


def _id(report: Any) -> str:  # noqa: ANN401 - a report of Hadoop
    text: str = report.getApplicationId().toString()
    return text


def _diagnostics(report: Any) -> str:  # noqa: ANN401 - a report of Hadoop
    return " ".join((report.getDiagnostics() or "no diagnostics").split())


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    end = sys.argv.index("--")
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--tag", required=True, help="tag of the application")
    add("--exchange", required=True, help="URI of the folder for all files of the application")
    add("--checkpoint", required=True, help="URI of Spark's checkpoint")
    add("--new-checkpoint", required=True, type=Path, help="folder of a new checkpoint, if it exists")
    add("--progress", required=True, type=Path, help="file with the state and the offsets of the job")
    add("--batches", required=True, type=Path, help="file with the last batches of the job")
    add("--stop-file", required=True, type=Path, help="the job stops when this file exists")
    add("--optimize-file", required=True, type=Path, help="the job rewrites its tables if this file appears")
    add("--modules", required=True, type=Path, help="folder with the programs that the driver needs")
    add("--archive", required=True, type=Path, help="file to which they are written for YARN")
    return parser.parse_args(sys.argv[1:end]), sys.argv[end + 1 :]


if __name__ == "__main__":
    run("products-stream", main)
