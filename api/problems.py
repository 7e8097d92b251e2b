"""The one place where errors become replies: `application/problem+json` (RFC 9457) with a stable `code`."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from apiflask import APIFlask
from flask import Response, g, request
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable
from werkzeug.routing import RequestRedirect

from api.limits import LimitReached, seconds_until_reset, too_many_text
from api.replies import json_reply
from records.database import is_outage
from records.errors import (
    BlobUnavailable,
    DatasetInUse,
    DiskFull,
    InvalidRequest,
    InvalidSpec,
    MethodNotAllowed,
    NotAvailable,
    NotFound,
    PayloadTooLarge,
    RangeNotSatisfiable,
    RequestError,
    TooManyLogins,
    TooManyPredictions,
    TooManyRequests,
    TooManyStreams,
    TooManyUploads,
    Unauthorized,
    UnreadableImages,
    UnsupportedMediaType,
    WrongOffset,
    shorten,
)

log = logging.getLogger("trainyard.api")

PROBLEM = "application/problem+json"
_RETRY_AFTER_S: dict[type[RequestError], int] = {
    TooManyRequests: 10,
    TooManyStreams: 15,
    TooManyUploads: 2,
    TooManyPredictions: 5,
    NotAvailable: 5,
}


def register_problems(app: APIFlask) -> None:
    """Answer every error of this application with a problem."""
    app.register_error_handler(RequestError, problem_reply)
    app.register_error_handler(HTTPException, _from_werkzeug)
    app.register_error_handler(Exception, _unexpected)


def problem_reply(error: RequestError, headers: Mapping[str, str] | None = None) -> Response:
    """The reply that tells of a request error."""
    extra: dict[str, Any] = {}
    if isinstance(error, InvalidSpec | UnreadableImages):
        extra["problems"] = [{"path": p.path, "text": p.text} for p in error.problems]
    if isinstance(error, DatasetInUse):
        extra |= {"jobs": list(error.jobs), "other_jobs": error.others}
    body = problem_body(error.status, error.code, error.text) | extra
    return json_reply(body, error.status, headers={**_headers_of(error), **(headers or {})}, media_type=PROBLEM)


def problem_body(status: int, code: str, text: str) -> dict[str, Any]:
    """The members that every problem has."""
    return {
        "type": f"urn:trainyard:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": text,
        "code": code,
        "request_id": g.get("request_id", ""),
    }


def _headers_of(error: RequestError) -> dict[str, str]:
    if isinstance(error, Unauthorized):
        came = ', error="invalid_token"' if "Authorization" in request.headers else ""
        return {"WWW-Authenticate": f'Bearer realm="trainyard"{came}'}
    if isinstance(error, WrongOffset):
        return {"Upload-Offset": str(error.offset)}
    wait_s = error.wait_s if isinstance(error, LimitReached | TooManyLogins) else _RETRY_AFTER_S.get(type(error))
    return {} if wait_s is None else {"Retry-After": str(wait_s)}


def _from_werkzeug(error: HTTPException) -> Any:
    if isinstance(error, RequestRedirect):
        return error
    if isinstance(error, RateLimitExceeded):
        return _too_many(error)
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return problem_reply(_as_request_error(error), headers)


def _as_request_error(error: HTTPException) -> RequestError:
    where = shorten(request.path)
    match error.code:
        case 404:
            return NotFound(f"Nothing is at {where}. GET /openapi.json lists the addresses.")
        case 405:
            allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
            return MethodNotAllowed(f"{where} does not take {request.method}. It takes {allowed}.")
        case 413:
            return PayloadTooLarge("The body is larger than this server takes.")
        case 415:
            return UnsupportedMediaType("The body is of a content type that this address does not take.")
        case 416 if isinstance(error, RequestedRangeNotSatisfiable):
            return RangeNotSatisfiable(f"The file has {error.length} bytes; the range asked for lies outside.")
        case _:
            return InvalidRequest(error.description or error.name)


def _too_many(error: RateLimitExceeded) -> Response:
    return problem_reply(
        TooManyRequests(too_many_text(str(error.description))), {"Retry-After": str(seconds_until_reset(time.time()))}
    )


def _unexpected(error: Exception) -> Response:
    if is_outage(error):
        log.error("database.unavailable request_id=%s error=%s", g.get("request_id", ""), error)
        return problem_reply(NotAvailable("The database cannot be used just now. Try again in a few seconds."))
    if isinstance(error, DiskFull):
        log.error("disk.full request_id=%s error=%s", g.get("request_id", ""), error)
        return problem_reply(NotAvailable(error.text))
    if isinstance(error, BlobUnavailable):
        log.error("blob.unavailable request_id=%s error=%s", g.get("request_id", ""), error)
        return problem_reply(NotAvailable(f"{error.text} Try again; if it stays so, ask whoever runs this yard."))
    log.error("request.crashed request_id=%s", g.get("request_id", ""), exc_info=error)
    body = problem_body(
        500, "internal_error", "The server made an error of its own. Its log holds more under this request id."
    )
    return json_reply(body, 500, media_type=PROBLEM)
