"""The header Idempotency-Key: the same key and request again make nothing new."""

from __future__ import annotations

import re

from flask import request

from api.openapi import header_parameter
from records.errors import InvalidRequest

KEY = header_parameter(
    "Idempotency-Key",
    "The same key and body again make nothing new and give the same; another body 422.",
    maxLength=200,
)
_FORM = re.compile(r"[\x21-\x7e]{1,200}")


def idempotency_key() -> str | None:
    """The present request's key, if it has one.

    Raises:
        InvalidRequest: it is empty, too long, or holds what no header should.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _FORM.fullmatch(key):
        raise InvalidRequest(
            f"Expected an Idempotency-Key of 1 to 200 visible ASCII characters, no spaces; got {len(key)} characters."
        )
    return key
