"""How many requests a person may send. Flask-Limiter counts them on the broker, and in this process alone while the
broker is away.

Requests that only read are always counted in this process, by `ReadLimits`: a poll that is answered 304 takes less
time than asking the broker, or Flask-Limiter, whether it may be. With several processes a person may read that many
times more.
"""

from __future__ import annotations

import math
import threading
from typing import Any

from flask import Flask, current_app, request
from flask_limiter import Limiter
from limits import parse_many

from api.auth import current_person
from api.transactions import SAFE_METHODS
from api.yard import the_yard
from records.errors import TooManyRequests
from records.settings import Settings

BROKER_TIMEOUT_S = 0.5
MOST_COUNTED = 100_000
_UNCOUNTED = ("/healthz", "/readyz", "/version", "/static/", "/docs/")


class LimitReached(TooManyRequests):
    """Raised when somebody has read more than they may; `wait_s` whole seconds later they may again."""

    def __init__(self, limit: str, wait_s: int) -> None:
        super().__init__(too_many_text(limit))
        self.wait_s = wait_s


class ReadLimits:
    """Counts in memory who has read how often, against limits in Flask-Limiter's words."""

    def __init__(self, limits: str) -> None:
        self._windows = [_Window(str(each), each.amount, each.get_expiry()) for each in parse_many(limits)]

    def count(self, who: str, now: float) -> None:
        """Count one request at `now`, in seconds since 1970.

        Raises:
            LimitReached: it is one too many.
        """
        for window in self._windows:
            window.count(who, now)


def register_limits(app: Flask, settings: Settings) -> None:
    """Count the requests of this application. None fails because the broker is away."""
    reads = ReadLimits(settings.rate_limit)
    timeouts: Any = {"socket_timeout": BROKER_TIMEOUT_S, "socket_connect_timeout": BROKER_TIMEOUT_S}
    writes = Limiter(
        _who,
        application_limits=[settings.rate_limit],
        storage_uri=settings.redis_address,
        storage_options=timeouts,
        in_memory_fallback_enabled=True,
        swallow_errors=True,
        key_prefix="trainyard",
    )
    writes.request_filter(lambda: request.method in SAFE_METHODS or _is_uncounted())
    app.before_request(lambda: _count_read(reads))
    writes.init_app(app)


def seconds_until_reset(now: float) -> int:
    """Whole seconds until the limit on writes that the present request met counts from zero again; at least one."""
    for limiter in current_app.extensions.get("limiter", ()):
        limit = limiter.current_limit
        if limit is not None:
            reset_at: int = limit.reset_at
            return max(1, math.ceil(reset_at - now))
    return 1


def too_many_text(limit: str) -> str:
    """What somebody is told who met a limit: `6000 per 1 minute`."""
    return f"More than {limit} requests. Wait, then go on more slowly."


class _Window:
    """One limit, counted from zero every `length_s` seconds, at the same moment for everybody."""

    def __init__(self, limit: str, amount: int, length_s: int) -> None:
        self._limit, self._amount, self._length_s = limit, amount, length_s
        self._number = 0
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, who: str, now: float) -> None:
        number = int(now // self._length_s)
        with self._lock:
            # So many are no people but guessed tokens, from an address each: rather count anew than fill the memory.
            if number != self._number or (len(self._counts) >= MOST_COUNTED and who not in self._counts):
                self._number, self._counts = number, {}
            count = self._counts[who] = self._counts.get(who, 0) + 1
        if count > self._amount:
            raise LimitReached(self._limit, max(1, math.ceil((number + 1) * self._length_s - now)))


def _count_read(reads: ReadLimits) -> None:
    if request.method in SAFE_METHODS and not _is_uncounted():
        reads.count(_who(), the_yard().clock().timestamp())


def _who() -> str:
    person = current_person()
    return f"person:{person.id}" if person else f"address:{request.remote_addr}"


def _is_uncounted() -> bool:
    return request.path.startswith(_UNCOUNTED)
