"""A lock between processes on one machine that ends with the process, however that ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE_S = 0.2


@contextmanager
def only_one(path: Path, check: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock of a file, which is made if need be.

    Args:
        path: of the file.
        check: called every now and then while another holds it; raises to give up.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if check is not None:
                    check()
                time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(fd)
