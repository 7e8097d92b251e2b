"""Bodies that are read bit by bit and never held: which routes take them, and how their bytes come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from flask import current_app, request
from werkzeug.exceptions import ClientDisconnected

from api.yard import the_yard
from records.errors import InvalidRequest
from records.upload_parts import Writer

F = TypeVar("F", bound=Callable[..., Any])
_TYPES = "streamed_types"
_CHUNK = 1 << 18
_ANY = 2**62
_SILENCE_S = 60.0
"""A sender that says nothing for so long has gone: without this it would hold a thread of the server for ever."""


def mark_streamed(view: F, media_types: Sequence[str]) -> F:
    """Say that a route reads bodies of these types itself, however long they are."""
    setattr(view, _TYPES, frozenset(media_types))
    return view


def is_streamed() -> bool:
    """Whether the present request has a body that its route reads itself."""
    view = current_app.view_functions.get(request.endpoint or "")
    return request.mimetype in getattr(view, _TYPES, frozenset())


def receive(writer: Writer, *, most: int) -> bool:
    """Write the body of the present request behind what is there. What came before a broken connection stays.

    Args:
        writer: where it goes.
        most: bytes that may come; a body that is longer is refused, and of it nothing beyond is kept.

    Returns:
        Whether the body came to its end.

    Raises:
        InvalidRequest: the body is longer.
        WrongOffset: somebody else wrote meanwhile.
        TooManyUploads: this process receives as many as it may.
    """
    release = the_yard().receiving.take()
    try:
        with _impatient():
            return _copy(writer, most)
    finally:
        release()


def _copy(writer: Writer, most: int) -> bool:
    request.max_content_length = _ANY  # `most` is what counts; None would mean the limit on JSON
    came = 0
    while chunk := _read(min(_CHUNK, most - came + 1)):
        came += len(chunk)
        if came > most:
            raise InvalidRequest(f"The body is longer than the {most:,} bytes that were to come.")
        writer.write(chunk)
    return chunk is not None and came == (request.content_length or came)


def _read(size: int) -> bytes | None:
    """The next bytes of the body, none at its end; None when the connection broke."""
    try:
        return request.stream.read(size)
    except (ClientDisconnected, OSError):
        return None


@contextmanager
def _impatient() -> Iterator[None]:
    """Give up on a sender that falls silent, as far as the server lets us: gunicorn waits for ever by itself."""
    connection = request.environ.get("gunicorn.socket")
    if connection is None:
        yield
        return
    connection.settimeout(_SILENCE_S)
    try:
        yield
    finally:
        connection.settimeout(None)
