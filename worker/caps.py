"""The hard limit of what a child on the CPU may hold of main memory, so that one cannot harm its neighbours.

Two guards, because each alone leaves a gap. The kernel refuses private memory beyond RLIMIT_DATA, at once; but that
counts addresses, of which TensorFlow takes more than it uses (thread stacks, regions of its allocator), so the limit
lies above what was lent. Between the two the worker looks at what the child really holds, several times a second, and
stops it. Measured for LeNet-5, ResNet-20 and ResNet-18: addresses were 250 to 550 MB more than memory in use, 20 MB of
it for each thread.

A GPU needs none of this: there TensorFlow itself is given a limit (`ml.engine.device`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

_SLACK_BYTES = 256 << 20
_SLACK_BYTES_A_THREAD = 24 << 20
_SLACK = 1.125
_HELD = ("RssAnon", "RssShmem", "VmSwap")
"""Lines of `/proc/PID/status`: memory that nobody else could use. The pages of libraries are shared."""
_RAN_OUT = re.compile(r"bad_alloc|out of memory|cannot allocate memory|mmap error|pthread_create failed", re.IGNORECASE)
_NEAR = 0.75


class Cap:
    """The limit of one child.

    Args:
        pid: of the child, which has not been given its order yet.
        memory_bytes: lent to it.
        threads: that it may use.
    """

    def __init__(self, pid: int, *, memory_bytes: int, threads: int) -> None:
        self.memory_bytes = memory_bytes
        self.most_bytes = 0
        """The most that it was seen to hold."""
        self._status = Path(f"/proc/{pid}/status")
        _limit_addresses(pid, addresses_of(memory_bytes, threads))

    def is_exceeded(self) -> bool:
        """Look at what the child holds, and tell whether it is more than was lent."""
        self.most_bytes = max(self.most_bytes, held_bytes(self._status))
        return self.most_bytes > self.memory_bytes

    def explains_crash(self, log: Iterable[str]) -> bool:
        """Whether a child that was ended by a signal ran out of memory: by its last words, or by what it held."""
        return any(map(_RAN_OUT.search, log)) or self.most_bytes > _NEAR * self.memory_bytes


def addresses_of(memory_bytes: int, threads: int) -> int:
    """RLIMIT_DATA for a child that may hold so much."""
    return int(_SLACK * memory_bytes) + _SLACK_BYTES + _SLACK_BYTES_A_THREAD * threads


def held_bytes(status: Path) -> int:
    """Memory that a process holds for itself, from its `status`; 0 where the system does not tell, or it is gone."""
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return 0
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return sum(int(fields[name].split()[0]) * 1024 for name in _HELD if name in fields)


def _limit_addresses(pid: int, limit: int) -> None:
    if not hasattr(psutil, "RLIMIT_DATA"):  # not Linux: there the worker's look alone guards
        return
    with suppress(psutil.NoSuchProcess):
        child = psutil.Process(pid)
        _, hardest = child.rlimit(psutil.RLIMIT_DATA)
        limit = limit if hardest == psutil.RLIM_INFINITY else min(limit, hardest)  # a tighter one cannot be raised
        child.rlimit(psutil.RLIMIT_DATA, (limit, limit))
