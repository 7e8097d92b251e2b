"""Where a child begins that was forked from the preloaded process. Light: every fork imports it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from multiprocessing.reduction import DupFd
from typing import Any


class PassedFd:
    """A file descriptor that can be an argument of a process: the other side gets a duplicate of its own."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __reduce__(self) -> tuple[Callable[[Any], PassedFd], tuple[Any]]:
        return _receive, (DupFd(self.fd),)


def run_forked(orders: PassedFd, events: PassedFd, log: PassedFd) -> None:
    """Carry out one order, and leave without taking TensorFlow's threads down one by one."""
    from ml.child import run_child

    for stream in (sys.stdout, sys.stderr):  # into a pipe Python would otherwise print in blocks of kilobytes
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    status = run_child(orders.fd, events.fd, log_fd=log.fd)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _receive(passed: Any) -> PassedFd:
    return PassedFd(passed.detach())
