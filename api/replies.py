"""JSON replies made by hand: what is asked for thousands of times a second goes through no serialiser."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

JSON = "application/json"


def json_reply(
    body: Any, status: int = 200, *, headers: Mapping[str, str] | None = None, media_type: str = JSON
) -> Response:
    """A reply with this JSON body."""
    return Response(dumps(body), status, headers, content_type=media_type)


def list_reply(items: Sequence[Any], next_cursor: str | None = None) -> Response:
    """A page of a list."""
    return json_reply({"items": items, "next": next_cursor})


def no_content() -> Response:
    """The reply to what is done and has nothing to show."""
    response = Response(status=204)
    response.headers.remove("Content-Type")
    return response


def dumps(body: Any) -> str:
    """Strict JSON: a number that is not finite becomes null, as JSON has none."""
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(body), allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value
