"""JSON bodies, read more strictly than Python does: UTF-8, no NaN, no member twice."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask import request

from api.yard import the_yard
from records.errors import NotJson, PayloadTooLarge, UnsupportedMediaType, shorten


def read_json() -> tuple[bytes, Any]:
    """The present request's body, raw and decoded.

    Raises:
        UnsupportedMediaType: it is not announced as JSON.
        PayloadTooLarge: it is larger than the settings allow.
        NotJson: it is not JSON.
    """
    if request.mimetype != "application/json":
        came = shorten(repr(request.mimetype)) if request.mimetype else "none"
        raise UnsupportedMediaType(f"Expected a body of content type application/json, got {came}.")
    raw = request.get_data(cache=False)
    limit = the_yard().settings.max_body_bytes
    if len(raw) > limit:  # it came in chunks, so that its length was not known before
        raise PayloadTooLarge(f"The body has more than {limit:,} bytes, which is the most that this server takes.")
    return raw, decode_json(raw)


def decode_json(raw: bytes) -> Any:
    """The value that the bytes describe.

    Raises:
        NotJson: they are no JSON, or JSON that means different things to different readers.
    """
    if not raw.strip():
        raise NotJson("The body is empty. Expected a JSON object.")
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise NotJson("The body is not UTF-8 text. Expected a JSON object.") from error
    except (ValueError, RecursionError) as error:
        raise NotJson(f"The body is not JSON: {shorten(error)}.") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise NotJson(f"The member {shorten(repr(name))} stands twice in one object. Keep one of them.")
        members[name] = value
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not a number in JSON. Leave the field out or give a finite number.")
