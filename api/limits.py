"""How many requests a person may send. Flask-Limiter counts them on the broker, and in this process alone while the
broker is away.

Requests that only read are always counted in this process: a poll that is answered 304 takes less time than asking
the broker whether it may be. With several processes a person may read that many times more.
"""

from __future__ import annotations

import math
from typing import Any

from flask import Flask, current_app, request
from flask_limiter import Limiter

from api.auth import current_person
from records.settings import Settings

BROKER_TIMEOUT_S = 0.5
_UNCOUNTED = ("/healthz", "/readyz", "/version", "/static/", "/docs/")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def register_limits(app: Flask, settings: Settings) -> None:
    """Count the requests of this application. None fails because the broker is away."""
    timeouts: Any = {"socket_timeout": BROKER_TIMEOUT_S, "socket_connect_timeout": BROKER_TIMEOUT_S}
    reads = Limiter(
        _who,
        application_limits=[settings.rate_limit],
        application_limits_exempt_when=lambda: request.method not in _READING or _is_uncounted(),
        storage_uri="memory://",
    )
    writes = Limiter(
        _who,
        application_limits=[settings.rate_limit],
        application_limits_exempt_when=lambda: request.method in _READING or _is_uncounted(),
        storage_uri=settings.redis_address,
        storage_options=timeouts,
        in_memory_fallback_enabled=True,
        swallow_errors=True,
        key_prefix="trainyard",
    )
    reads.init_app(app)
    writes.init_app(app)


def seconds_until_reset(now: float) -> int:
    """Whole seconds until the limit that the present request met counts from zero again; at least one."""
    for limiter in current_app.extensions.get("limiter", ()):
        limit = limiter.current_limit
        if limit is not None:
            reset_at: int = limit.reset_at
            return max(1, math.ceil(reset_at - now))
    return 1


def _who() -> str:
    person = current_person()
    return f"person:{person.id}" if person else f"address:{request.remote_addr}"


def _is_uncounted() -> bool:
    return request.path.startswith(_UNCOUNTED)
