"""How many requests a person may send, counted on the broker; in this process alone while the broker is away."""

from __future__ import annotations

import math

from flask import current_app, request
from flask_limiter import Limiter

from api.auth import current_person
from records.settings import Settings

_BROKER_TIMEOUT_S = 0.5
_UNCOUNTED = ("/healthz", "/readyz", "/version", "/static/", "/docs/")


def make_limiter(settings: Settings) -> Limiter:
    """The limiter of one application. It never fails a request because the broker is away."""
    return Limiter(
        _who,
        application_limits=[settings.rate_limit],
        application_limits_exempt_when=_is_uncounted,
        storage_uri=settings.redis_address,
        storage_options={"socket_timeout": _BROKER_TIMEOUT_S, "socket_connect_timeout": _BROKER_TIMEOUT_S},  # type: ignore[dict-item]
        in_memory_fallback_enabled=True,
        swallow_errors=True,
        key_prefix="trainyard",
    )


def seconds_until_reset(now: float) -> int:
    """Whole seconds until the present request's limit counts from zero again; at least one."""
    for limiter in current_app.extensions.get("limiter", ()):
        limit = limiter.current_limit
        if limit is not None:
            return max(1, int(math.ceil(limit.reset_at - now)))
    return 1


def _who() -> str:
    person = current_person()
    return f"person:{person.id}" if person else f"address:{request.remote_addr}"


def _is_uncounted() -> bool:
    return request.path.startswith(_UNCOUNTED)
