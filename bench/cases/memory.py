"""How much memory does an idle yard hold?

`trainyard up` on SQLite, after one job of no steps and four requests to the API, then five seconds of peace: for
every process its proportional share (PSS: what it shares with others is divided by how many share it), and what of it
is anonymous, that is not the contents of files, from `/proc/PID/smaps_rollup`. Once with the process that keeps
TensorFlow and Keras imported so that jobs start at once (`child_start=preload`), once without (`spawn`).
A user would pick MLflow's tracking server: 1.8 GB idle on a machine of this kind, which only records and starts
nothing.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.results import Aim
from bench.setting import CannotMeasure, Measured, Setting
from bench.statistics import figure
from bench.yard import Yard, run_yard

A_SIXTH_OF_MLFLOW = Aim(relation="at most", value=300)
SETTLE_S = 5.0
MARKS = {
    "forkserver": "forkserver",
    "resource_tracker": "resource tracker",
    "valkey-server": "broker",
    "redis-server": "broker",
    "gunicorn": "API",
    "worker": "worker's parent",
}
"""What stands in a command line, and the part that it tells."""


class Memory(NamedTuple):
    """Of one process, in megabytes of a million bytes."""

    pss_mb: float
    """Its proportional share."""
    anonymous_mb: float
    """What of it is not the contents of files."""


def measure(setting: Setting) -> Measured:
    """Megabytes of every process, and of all together."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise CannotMeasure("Memory was not measured: this kernel has no /proc/PID/smaps_rollup.")
    measured = Measured()
    for child_start in ("spawn", "preload"):
        with run_yard(setting.folder / child_start, child_start=child_start, test_kinds=True) as yard:
            yard.run({"kind": "noop", "steps": 3})
            for _ in range(4):
                yard.get("/api/v1/jobs").close()
            time.sleep(SETTLE_S)
            _measure_yard(child_start, yard, measured)
    return measured


def _measure_yard(child_start: str, yard: Yard, measured: Measured) -> None:
    parts: dict[str, list[Memory]] = defaultdict(list)
    for part, pid in find_processes(yard.pid):
        parts[part].append(read_memory(pid))
    everything = [held for memories in parts.values() for held in memories]
    aim = A_SIXTH_OF_MLFLOW if child_start == "spawn" else None
    measured.figures += [
        figure(f"{child_start}: all processes", "MB", [sum(held.pss_mb for held in everything)], aim),
        figure(f"{child_start}: all processes, anonymous", "MB", [sum(held.anonymous_mb for held in everything)]),
    ]
    for part, memories in sorted(parts.items()):
        measured.figures += [
            figure(f"{child_start}: {part}", "MB", [held.pss_mb for held in memories]),
            figure(f"{child_start}: {part}, anonymous", "MB", [held.anonymous_mb for held in memories]),
        ]


def find_processes(root: int) -> list[tuple[str, int]]:
    """The processes below and with `root`, each with the part of the yard that it is."""
    top = psutil.Process(root)
    named = [("`trainyard up`", root)]
    for process in top.children(recursive=True):
        part = _name_part(" ".join(process.cmdline()))
        if part == "API":
            part = "API, gunicorn's parent" if process.ppid() == root else "API, each process"
        named.append((part, process.pid))
    return named


def read_memory(pid: int) -> Memory:
    """What a process holds now."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return Memory(pss_mb=kib["Pss"] * 1.024e-3, anonymous_mb=kib["Pss_Anon"] * 1.024e-3)


def _name_part(command: str) -> str:
    return next((part for mark, part in MARKS.items() if mark in command), "other")
