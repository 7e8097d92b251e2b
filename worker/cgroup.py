"""What Linux's control groups say of this process: its memory limit, and how often the kernel killed for memory.

Everything here answers "unknown" where there are no control groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60
"""Version 1 writes "no limit" as a number near 2**63."""


def memory_limit_bytes() -> int | None:
    """The tightest memory limit on this process; None without one."""
    limits = [_number(folder / name) for folder in _folders() for name in ("memory.max", "memory.limit_in_bytes")]
    known = [limit for limit in limits if limit is not None and limit < _UNLIMITED]
    return min(known, default=None)


def oom_kills() -> int:
    """How many processes the kernel has killed for want of memory: in this control group, else on this machine."""
    for folder in _folders():
        for name in ("memory.events", "memory.oom_control"):
            count = _field(folder / name, "oom_kill")
            if count is not None:
                return count
    return _field(Path("/proc/vmstat"), "oom_kill") or 0


def _folders() -> Iterator[Path]:
    """The folders of this process's control group and of those around it, the innermost first."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            base = _ROOT / controllers
            inner = base / path.lstrip("/")
            yield from (f for f in (inner, *inner.parents) if f == base or base in f.parents)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # not there, or "max"
        return None


def _field(path: Path, name: str) -> int | None:
    try:
        fields = dict(line.split(maxsplit=1) for line in path.read_text().splitlines() if " " in line)
        return int(fields[name])
    except (OSError, ValueError, KeyError):
        return None
