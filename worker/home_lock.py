"""One worker a home: whoever holds this lock."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def lock_home(home: Path) -> int | None:
    """Hold a lock on the home until the descriptor is closed or this process ends; None when another worker does."""
    fd = os.open(home / "worker.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd
