"""Sending stored files: whole, in ranges, or not at all when the caller has them. Nothing sent here runs in a page."""

from __future__ import annotations

import re
from datetime import datetime
from typing import BinaryIO

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import dump_options_header
from werkzeug.wsgi import wrap_file

INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "application/json"})
"""Media types that a browser may show; all others are only saved."""
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-zA-Z0-9.+_-]+(; ?charset=[a-zA-Z0-9-]+)?")
_ONE_RANGE = re.compile(r"bytes=(\d{1,15})?-(\d{1,15})?")


def send_blob(
    file: BinaryIO, *, name: str, media_type: str, size_bytes: int, sha256: str, modified_at: datetime
) -> Response:
    """A reply with the bytes of an open file, which it closes.

    Raises:
        RequestedRangeNotSatisfiable: of werkzeug: the range asked for lies outside the file.
    """
    if not _MEDIA_TYPE.fullmatch(media_type):
        media_type = "application/octet-stream"
    response = Response(wrap_file(request.environ, file), content_type=media_type, direct_passthrough=True)
    response.call_on_close(file.close)
    inline = media_type.partition(";")[0] in INLINE
    response.headers.update(
        {
            "Content-Disposition": dump_options_header("inline" if inline else "attachment", {"filename": name}),
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
    )
    response.content_length = size_bytes
    response.last_modified = modified_at
    response.set_etag(sha256)
    return _conditional(response, size_bytes)


def _conditional(response: Response, size_bytes: int) -> Response:
    """304, 206 or 416 as the request's headers ask. A header that this server does not understand is as if absent."""
    environ = dict(request.environ)
    asked = _plain_range(environ.pop("HTTP_RANGE", ""), size_bytes)
    if asked is not None and not _has_it(response):  # If-None-Match goes before Range (RFC 9110)
        environ["HTTP_RANGE"] = asked
    response.headers["Accept-Ranges"] = "bytes"
    try:
        response.make_conditional(environ, accept_ranges=True, complete_length=size_bytes)
    except RequestedRangeNotSatisfiable:
        response.close()
        raise
    return response


def _plain_range(header: str, size_bytes: int) -> str | None:
    """The range in the form that werkzeug takes; None for several ranges, another unit, or nonsense."""
    found = _ONE_RANGE.fullmatch(header.replace(" ", ""))
    if found is None or found.groups() == (None, None):
        return None
    first, last = found.groups()
    if first is None:  # the last so many bytes; of a shorter file, all
        return f"bytes={max(size_bytes - int(last), 0)}-"
    return None if last is not None and int(last) < int(first) else f"bytes={first}-{last or ''}"


def _has_it(response: Response) -> bool:
    etag, _ = response.get_etag()
    return etag is not None and request.if_none_match.contains_weak(etag)
