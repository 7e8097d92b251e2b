"""Cursors: opaque to callers, a few numbers or words to us. They name a row, so pages stay whole while rows come in."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from typing import Any, TypeVar

from records.errors import InvalidRequest

T = TypeVar("T")
LARGEST_ID = 2**31 - 1


def make_cursor(kind: str, *parts: int | str) -> str:
    """A cursor of this kind of list."""
    return base64.urlsafe_b64encode(json.dumps([kind, *parts]).encode()).decode().rstrip("=")


def read_cursor(kind: str, cursor: str, *types: type, largest: int = LARGEST_ID) -> list[Any]:
    """The parts of a cursor: strings, and numbers from 0 to `largest`.

    Raises:
        InvalidRequest: it is no cursor of this kind of list.
    """
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        parts = None
    if not isinstance(parts, list) or len(parts) != len(types) + 1 or parts[0] != kind:
        raise no_cursor()
    for part, expected in zip(parts[1:], types, strict=True):
        if type(part) is not expected or not _is_sane(part, largest):
            raise no_cursor()
    return parts[1:]


def cut_page(rows: Sequence[T], limit: int) -> tuple[Sequence[T], T | None]:
    """The page out of `limit + 1` rows, and its last row when there are more behind it."""
    page = rows[:limit]
    return page, page[-1] if len(rows) > limit else None


def finite(number: float) -> float:
    """The number itself.

    Raises:
        ValueError: it is infinite, or none at all.
    """
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, got {number}")
    return number


def _is_sane(part: object, largest: int) -> bool:
    """Whether both databases can take it."""
    if isinstance(part, int):
        return 0 <= part <= largest
    return isinstance(part, str) and "\x00" not in part


def no_cursor() -> InvalidRequest:
    """What is raised for a cursor that is not one of this list."""
    return InvalidRequest("`cursor` is not one of this list. Send the `next` of its last page, unchanged.")
