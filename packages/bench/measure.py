"""Run a command and measure the resources of it and all its descendants.

`measure.py RESULT COMMAND...` writes one JSON object to the file RESULT: `exit_code`, `seconds`, `cpu_seconds` (all
descendants, also orphaned ones), `peak_mb` (proportional set size of all processes together, sampled twice a second, so
that memory shared by browser processes counts once) and `largest_mb` (the peak resident size of the largest process,
counted by the kernel). Linux only.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
SAMPLE_EVERY_S = 0.5


def descendants() -> list[int]:
    """Return the running descendants of this process."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found: list[int] = []
    generation = [os.getpid()]
    while generation:
        generation = [pid for pid, parent in parents.items() if parent in generation]
        found += generation
    return found


def memory_kb(pid: int) -> int:
    """Return the private memory of a process and its share of shared memory, 0 if it has exited."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def wait_for_all(first: int) -> tuple[int, int]:
    """Wait until `first` and all others have exited. Return the exit code of `first` and the peak memory in KB."""
    exit_code, peak, sample_at = 0, 0, 0.0
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return exit_code, peak
        if pid == first:
            exit_code = os.waitstatus_to_exitcode(status)
        if pid != 0:
            continue
        if time.monotonic() >= sample_at:
            peak = max(peak, sum(map(memory_kb, descendants())))
            sample_at = time.monotonic() + SAMPLE_EVERY_S
        time.sleep(0.01)


def main() -> None:
    """Run the command of the module's description."""
    result, *command = sys.argv[1:]
    # An orphaned descendant becomes a child of this process and is counted.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started_at = time.monotonic()
    child = subprocess.Popen(command)  # noqa: S603
    exit_code, peak_kb = wait_for_all(child.pid)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    usage_record = {
        "exit_code": exit_code,
        "seconds": time.monotonic() - started_at,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": peak_kb / 1024,
        "largest_mb": usage.ru_maxrss / 1024,
    }
    Path(result).write_text(json.dumps(usage_record))


if __name__ == "__main__":
    main()
