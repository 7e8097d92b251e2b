"""Errors of the user's side.

TrainyardError
├── YardError               the yard on this machine could not start, or cannot go on
└── ClientError             a request did not get the answer that it wanted
    ├── Unreachable         nothing answered at the yard's address
    ├── UnexpectedReply     what answered does not speak like a yard
    ├── DamagedDownload     the bytes that came are not the artifact's
    ├── DamagedUpload       the bytes that the yard has are not those that were sent
    ├── SourceChanged       a file changed while it was sent
    └── ApiError            the yard refused; one class for each status that a program may want to tell apart
        ├── NotAuthorized   401, 403
        ├── NotFound        404
        ├── Conflict        409
        ├── PreconditionFailed 412, 428: somebody else has changed it since one looked
        ├── InvalidRequest  400, 413, 415, 416, 422; `problems` names the fields
        ├── TooManyRequests 429
        └── YardFailed      5xx
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from records.errors import TrainyardError


class YardError(TrainyardError):
    """Raised when the yard on this machine could not start, or cannot go on."""

    code = "yard"


class ClientError(TrainyardError):
    """Raised when a request did not get the answer that it wanted."""

    code = "client"


class Unreachable(ClientError):
    """Raised when nothing answers at the yard's address, also after trying again."""

    code = "unreachable"


class UnexpectedReply(ClientError):
    """Raised when what answers does not speak like a yard."""

    code = "unexpected_reply"


class DamagedDownload(ClientError):
    """Raised when downloaded bytes do not have the SHA-256 that the yard recorded."""

    code = "damaged_download"


class DamagedUpload(ClientError):
    """Raised when the yard has other bytes than those that were sent; it has dropped them."""

    code = "damaged_upload"


class SourceChanged(ClientError):
    """Raised when a file changed, or went away, while it was sent."""

    code = "source_changed"


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field: `path` is dotted, empty for the whole body."""

    path: str
    text: str


class ApiError(ClientError):
    """Raised when the yard answers with an error. `code` is stable; programs should look at it, not at the text."""

    def __init__(self, text: str, *, code: str, status: int, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.code = code  # type: ignore[misc]  # here the code comes from the yard, not from the class
        self.status = status
        self.problems = tuple(problems)


class NotAuthorized(ApiError):
    """Raised on 401 and 403: no token, an unknown one, or one that may not do this."""


class NotFound(ApiError):
    """Raised on 404."""


class Conflict(ApiError):
    """Raised on 409: the job is not in a state that allows this."""


class PreconditionFailed(ApiError):
    """Raised on 412 and 428: somebody else has changed the thing since one looked, or one must say what one knows."""


class InvalidRequest(ApiError):
    """Raised on 400, 413, 415, 416 and 422: the request must be changed."""


class TooManyRequests(ApiError):
    """Raised on 429. `retry_after_s` is when the yard wants to be asked again, in seconds; 0 when it does not say."""

    retry_after_s = 0.0


class YardFailed(ApiError):
    """Raised on 5xx: the fault is the yard's."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: NotAuthorized,
    403: NotAuthorized,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    428: PreconditionFailed,
    429: TooManyRequests,
}


def api_error(status: int, body: object, *, retry_after_s: float = 0.0) -> ApiError:
    """The error for a status and a problem+json body; a body of another shape gives a general one."""
    problem: Mapping[str, Any] = body if isinstance(body, dict) else {}
    cls = _BY_STATUS.get(status, YardFailed if status >= 500 else InvalidRequest)
    text = problem.get("detail") or problem.get("title") or f"The yard answered {status} without a reason."
    error = cls(
        str(text),
        code=str(problem.get("code", "unknown")),
        status=status,
        problems=[Problem(str(p.get("path", "")), str(p.get("text", ""))) for p in problem.get("problems", ())],
    )
    if isinstance(error, TooManyRequests):
        error.retry_after_s = retry_after_s
    return error
