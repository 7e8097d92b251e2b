"""Hard limits that a process sets on itself before it touches bytes from outside. They cannot be taken back."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import sys
import time

PR_SET_NO_NEW_PRIVS = 38
STANDARD_DESCRIPTORS = 3


def lock_decoder(memory_bytes: int) -> None:
    """Leave a decoder only what decoding needs: memory up to a cap, and the three descriptors that it has.

    From here on it can open no file and no socket, write no file, dump no core, and gain no privilege. Whatever it
    needs must be imported before. Its standard error goes nowhere, because codecs write there what images tell them.
    """
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, sys.stderr.fileno())
    os.close(silent)
    _set(resource.RLIMIT_FSIZE, 0)
    _set(resource.RLIMIT_NOFILE, STANDARD_DESCRIPTORS)
    lock_common(memory_bytes)


def lock_common(memory_bytes: int) -> None:
    """No core dumps, no new privileges (on Linux), and an address space of so many bytes."""
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_AS, memory_bytes)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def allow_processor_s(seconds: float) -> None:
    """From now on so many seconds of processor time, rounded up; then the kernel ends the process with SIGXCPU."""
    used = math.ceil(time.process_time())
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + math.ceil(seconds), hard))


def _set(what: int, most: int) -> None:
    """The limit, or the lower one that this process came with."""
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))
