"""What body each route takes: of which content types, and how large. JSON, unless it says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import current_app, request

from api.replies import JSON
from api.yard import the_yard
from records.settings import Settings

_TAKES = "takes"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Taken:
    """What a route takes."""

    media_types: tuple[str, ...]
    most_bytes: int


def takes(*media_types: str, most_bytes: Callable[[Settings], int]) -> Callable[[F], F]:
    """Say that a route takes bodies of these content types, each of at most so many bytes; stands right above it."""

    def mark(function: F) -> F:
        cast("Any", function).__dict__[_TAKES] = (media_types, most_bytes)
        return function

    return mark


def taken_here() -> Taken:
    """What the route of the present request takes."""
    settings = the_yard().settings
    view = current_app.view_functions.get(request.endpoint or "")
    marked: tuple[Sequence[str], Callable[[Settings], int]] | None = getattr(view, _TAKES, None)
    if marked is None:
        return Taken((JSON,), settings.max_body_bytes)
    media_types, most_bytes = marked
    return Taken(tuple(media_types), most_bytes(settings))
