"""Sending stored files: whole, in ranges, or not at all when the caller has them. Nothing sent here runs in a page."""

from __future__ import annotations

import re
from datetime import datetime
from typing import BinaryIO, Protocol

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import dump_options_header
from werkzeug.wsgi import wrap_file

from api.openapi import header_parameter
from records.blobs import Blobs


class KeptFile(Protocol):
    """A row that names stored bytes: an artifact of a job, a file of a registered version."""

    @property
    def name(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "application/json"})
"""Media types that a browser may show; all others are only saved."""
RANGE = header_parameter("Range", "One range of bytes: `bytes=0-99`, `bytes=100-` or `bytes=-100`.")
ETAG = header_parameter("If-None-Match", "The ETag (the SHA-256) of the bytes that one has.")
PARTS = {206: "The range asked for.", 304: "The bytes are those that one has."}
"""What a download may answer besides, for the OpenAPI document."""
FILE_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""The names of kept files: neither slashes nor `..`."""
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


def send_kept(blobs: Blobs, file: KeptFile, *, modified_at: datetime) -> Response:
    """A reply with the bytes of a file that a row names. Raises as `send_blob` does, and BlobUnavailable."""
    return send_blob(
        blobs.open(file.sha256),
        name=file.name,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        modified_at=modified_at,
    )


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
