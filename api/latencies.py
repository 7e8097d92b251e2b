"""How long requests took, counted in memory that all processes of one server share.

A server loads the application once and then forks (`--preload`), so that whichever process answers `/metrics` tells
of all. Without that, each counts for itself.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from flask import Flask, Response, current_app, g, request

_EXTENSION = "trainyard_latencies"

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets, in seconds; one more takes what lasted longer."""
_ROW = struct.Struct(f"={len(BOUNDS_S) + 1}Qd")
"""Requests in each bucket, and the seconds of all together."""
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class Latency(NamedTuple):
    """Requests to one endpoint that were answered alike."""

    endpoint: str
    status: str
    """`2xx` …"""
    counts: tuple[int, ...]
    """Requests in each bucket of `BOUNDS_S`, then those that lasted longer."""
    seconds: float
    """Of all of them together."""


class Latencies:
    """Counts for endpoints that are known from the start.

    Args:
        endpoints: their names; any other is counted under the empty name.
    """

    def __init__(self, endpoints: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(["", *sorted(endpoints)])}
        self._rows = mmap.mmap(-1, _ROW.size * len(CLASSES) * len(self._places))
        self._lock, self._fd = threading.Lock(), _nameless_file()
        weakref.finalize(self, os.close, self._fd)

    def observe(self, endpoint: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        bucket = next((i for i, bound in enumerate(BOUNDS_S) if seconds <= bound), len(BOUNDS_S))
        offset = self._offset(self._places.get(endpoint, 0), min(max(status // 100, 1), 5) - 1)
        # The file's lock keeps processes apart, and the kernel frees it when one dies. Threads need one of their own.
        with self._lock:
            fcntl.lockf(self._fd, fcntl.LOCK_EX)
            try:
                *counts, total = _ROW.unpack_from(self._rows, offset)
                counts[bucket] += 1
                _ROW.pack_into(self._rows, offset, *counts, total + seconds)
            finally:
                fcntl.lockf(self._fd, fcntl.LOCK_UN)

    def rows(self) -> Iterator[Latency]:
        """What was counted, where there is something."""
        for endpoint, place in self._places.items():
            for number, status in enumerate(CLASSES):
                *counts, seconds = _ROW.unpack_from(self._rows, self._offset(place, number))
                if any(counts):
                    yield Latency(endpoint, status, tuple(counts), seconds)

    def _offset(self, place: int, status: int) -> int:
        return _ROW.size * (place * len(CLASSES) + status)


def register_latencies(app: Flask) -> None:
    """Count the requests of this application; call it when every route is known."""
    app.extensions[_EXTENSION] = Latencies([rule.endpoint for rule in app.url_map.iter_rules()])
    app.after_request(_count)


def latencies_of_app() -> Latencies:
    """What was counted of the application that answers the present request."""
    return cast("Latencies", current_app.extensions[_EXTENSION])


def _count(response: Response) -> Response:
    now = time.perf_counter()
    latencies_of_app().observe(request.endpoint or "", response.status_code, now - g.get("began", now))
    return response


def _nameless_file() -> int:
    """A file descriptor to hold locks on."""
    fd, path = tempfile.mkstemp()
    os.unlink(path)
    return fd
