"""What every request gets: an id, a check of its body, safe headers on its reply, one line in the log."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, has_request_context, request

from api.receiving import is_streamed
from api.taking import taken_here
from records.errors import PayloadTooLarge, UnsupportedMediaType, shorten

log = logging.getLogger("trainyard.access")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SAFE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def begin_request() -> None:
    """Give the request an id (a proxy's is kept), and refuse a body that its route does not take.

    Raises:
        PayloadTooLarge: the body is larger than the settings allow.
        UnsupportedMediaType: a body for the API is of another content type.
    """
    g.began = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
    if request.method in ("POST", "PUT", "PATCH"):
        _check_body()


def end_request(response: Response) -> Response:
    """Add the headers that make a reply safe, and write the access log."""
    for name, value in _SAFE_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "private, no-cache")
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if log.isEnabledFor(logging.INFO):
        _write_line(response)
    return response


def register_headers(app: Flask) -> None:
    """Do this for every request of the application."""
    app.before_request(begin_request)
    app.after_request(end_request)


def request_facts() -> dict[str, Any]:
    """What every line of a log tells of the present request, if there is one: its id, and the job that it is about."""
    if not has_request_context():
        return {}
    job_id = (request.view_args or {}).get("job_id")
    return {"request_id": g.get("request_id", "")} | ({} if job_id is None else {"job_id": job_id})


def _check_body() -> None:
    if is_streamed():
        return
    taken = taken_here()
    request.max_content_length = taken.most_bytes + 1  # one more, to tell too large from just full
    length = request.content_length
    if length is not None and length > taken.most_bytes:
        raise PayloadTooLarge(f"The body has {length:,} bytes; this address takes at most {taken.most_bytes:,}.")
    has_body = bool(length) or "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    if has_body and request.path.startswith("/api/") and request.mimetype not in taken.media_types:
        came = shorten(repr(request.mimetype)) if request.mimetype else "none"
        raise UnsupportedMediaType(f"Expected a body of content type {' or '.join(taken.media_types)}, got {came}.")


def _write_line(response: Response) -> None:
    person = g.get("person")
    log.info(
        "http.answered method=%s path=%s status=%d ms=%.1f person=%s request_id=%s",
        shorten(request.method, 20),
        shorten(quote(request.path), 200),
        response.status_code,
        (time.perf_counter() - g.get("began", time.perf_counter())) * 1000,
        person.name if person else "-",
        g.get("request_id", ""),
    )
