"""Locks between processes on one machine, each on a file: they end with the process that holds them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE_S = 0.2


@contextmanager
def hold(path: Path, check: Callable[[], None] | None = None, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock: alone, or beside others that hold it `shared`.

    Args:
        path: its file, which is made if need be.
        check: called every now and then while somebody else holds it; raises to give up.
        shared: whether others may hold it too.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not _take(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            if check is not None:
                check()
            time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(fd)


@contextmanager
def hold_if_free(path: Path) -> Iterator[bool]:
    """Hold a lock alone, if nobody else holds it; whether that is so."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _take(fd, fcntl.LOCK_EX)
    finally:
        os.close(fd)


def _take(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
