"""Memory of GPUs that is taken by programs outside the yard, as NVML tells it.

NVML counts all memory in use, and lists processes by id with what each holds. Where the ids of our children are among
them, the rest is the outsiders'. In a container the ids may be those of the host, or missing; then what was in use
when no child of ours was there counts as the outsiders', and whatever is in use beyond all that is lent.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
import pynvml

log = logging.getLogger("trainyard.outsiders")

_PAUSE_S = 0.1
_LEAST_BYTES = 64 << 20
"""Less is the driver's own rounding."""


@dataclass(frozen=True)
class Taken:
    """What outsiders hold of one GPU."""

    memory_bytes: int
    takers: tuple[dict[str, Any], ...] = ()
    """As far as they could be told: `pid`, `name`, `memory_bytes`."""


@dataclass(frozen=True)
class Holding:
    """What the yard has on one GPU."""

    pids: Collection[int] = ()
    lent_bytes: int = 0


class Outsiders:
    """Remembers, GPU by GPU, what was taken when nothing of ours was there."""

    def __init__(self) -> None:
        self._before: dict[int, int] = {}

    def look(self, holdings: Mapping[int, Holding]) -> dict[int, Taken]:
        """What outsiders hold of each GPU of this machine; nothing where NVML cannot tell.

        Args:
            holdings: by number of the GPU, what the yard has on it; its keys say which GPUs to look at.
        """
        found: dict[int, Taken] = {}
        with _nvml() as is_there:
            for number, holding in holdings.items() if is_there else ():
                with suppress(pynvml.NVMLError):  # this GPU is lost, or is not shown to us
                    found[number] = self._look_at(number, holding)
        return found

    def _look_at(self, number: int, ours: Holding) -> Taken:
        gpu = pynvml.nvmlDeviceGetHandleByIndex(number)
        used = int(pynvml.nvmlDeviceGetMemoryInfo(gpu).used)
        held = _by_process(gpu)
        if not ours.lent_bytes:
            self._before[number] = used
            return Taken(_beyond_rounding(used), _named(held))
        others = {pid: size for pid, size in held.items() if pid not in ours.pids}
        mine = [size for pid, size in held.items() if pid in ours.pids]
        if ours.pids and len(mine) == len(ours.pids) and None not in mine:
            return Taken(_beyond_rounding(used - sum(size or 0 for size in mine)), _named(others))
        taken = max(self._before.get(number, 0), used - ours.lent_bytes)
        return Taken(_beyond_rounding(taken), _named(others) if mine else ())


def await_gone(number: int, pid: int, *, within_s: float, pause: Callable[[float], None] = time.sleep) -> bool:
    """Wait until a process that has ended holds nothing of a GPU any more; the driver gives memory back late.

    Returns:
        False when it still held something at the end of that time. True at once where NVML cannot tell.
    """
    deadline = time.monotonic() + within_s
    with _nvml() as is_there, suppress(pynvml.NVMLError):
        while is_there and pid in _by_process(pynvml.nvmlDeviceGetHandleByIndex(number)):
            if time.monotonic() > deadline:
                log.warning("gpu.not_freed gpu=%s pid=%s", number, pid)
                return False
            pause(_PAUSE_S)
    return True


class _nvml:
    """NVML for as long as the context lasts; false where there is no driver."""

    def __enter__(self) -> bool:
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError:
            self._is_there = False
        else:
            self._is_there = True
        return self._is_there

    def __exit__(self, *_: object) -> None:
        if self._is_there:
            with suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()


def _by_process(gpu: Any) -> dict[int, int | None]:
    """Bytes of a GPU by process; None where NVML does not tell how many."""
    found: dict[int, int | None] = {}
    for list_processes in (pynvml.nvmlDeviceGetComputeRunningProcesses, pynvml.nvmlDeviceGetGraphicsRunningProcesses):
        with suppress(pynvml.NVMLError):  # not every card and driver tells
            for process in list_processes(gpu):
                size = process.usedGpuMemory
                found[int(process.pid)] = None if size is None else int(size)
    return found


def _named(held: Mapping[int, int | None]) -> tuple[dict[str, Any], ...]:
    return tuple({"pid": pid, "name": _name(pid), "memory_bytes": size} for pid, size in sorted(held.items()))


def _name(pid: int) -> str:
    try:
        return psutil.Process(pid).name()
    except psutil.Error:  # gone, or of another container
        return f"process {pid}"


def _beyond_rounding(size: int) -> int:
    return size if size >= _LEAST_BYTES else 0
