"""A training in a process under a hard limit on its memory: does it survive?

The limit is that of a control group of its own below the one that this process is in, which the kernel enforces by
killing. It needs the right to make one (root, on most machines), and is removed again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.setting import CannotMeasure
from bench.trainings import Configuration
from records.settings import child_environment

MODULE = "bench.baselines.peak_alone"
_ROOT = Path("/sys/fs/cgroup")
_LIMIT_S = 900.0


class Ended(NamedTuple):
    """How a training under a limit ended."""

    survived: bool
    limit_bytes: int
    most_bytes: int
    """The most that the kernel counted for it, files that it read in it."""

    def __str__(self) -> str:
        ending = "survived" if self.survived else "DIED"
        return f"{ending} under {self.limit_bytes / 1e6:,.0f} MB, took {self.most_bytes / 1e6:,.0f}"


class _Files(NamedTuple):
    """The files of a control group that matter, in either version."""

    limit: str
    most: str
    members: str = "cgroup.procs"


_SECOND = _Files("memory.max", "memory.peak")
_FIRST = _Files("memory.limit_in_bytes", "memory.max_usage_in_bytes")


def run_capped(one: Configuration, *, limit_bytes: int) -> Ended:
    """Run some steps and an epoch's end of a training in a fresh interpreter that may hold no more than the limit.

    Raises:
        CannotMeasure: this machine does not let us set such a limit.
    """
    with _group(limit_bytes) as (folder, files):
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
            text=True,
        )
        try:
            (folder / files.members).write_text(str(process.pid))
            process.communicate(json.dumps(one), timeout=_LIMIT_S)  # it waits for this line before it imports anything
        finally:
            process.kill()
            process.wait()
        return Ended(process.returncode == 0, limit_bytes, int((folder / files.most).read_text()))


@contextmanager
def _group(limit_bytes: int) -> Iterator[tuple[Path, _Files]]:
    parent, files = _own_group()
    folder = parent / f"trainyard-bench-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        raise CannotMeasure(f"No hard limits were tried: no control group can be made here ({error}).") from error
    try:
        try:
            (folder / files.limit).write_text(str(limit_bytes))
        except OSError as error:
            raise CannotMeasure(f"No hard limits were tried: {files.limit} cannot be written ({error}).") from error
        yield folder, files
    finally:
        folder.rmdir()


def _own_group() -> tuple[Path, _Files]:
    """The folder of the control group for memory that this process is in.

    Raises:
        CannotMeasure: there is none (not Linux).
    """
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError as error:
        raise CannotMeasure("No hard limits were tried: this system has no control groups.") from error
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return _ROOT / "memory" / path.lstrip("/"), _FIRST
    return _ROOT / lines[-1].split(":", 2)[2].lstrip("/"), _SECOND
