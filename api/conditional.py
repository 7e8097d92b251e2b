"""ETag and 304: whoever already has the present state is told so without it being made again."""

from __future__ import annotations

from flask import Response, request

from records.reading import JobStamp


def job_etag(stamp: JobStamp) -> str:
    """A strong validator of a job's JSON: its version, its place where it waits, as that moves by itself, its edits.

    Edits are in the version too; they stand at the end so that `api.changing` can tell them from all other changes.
    """
    place = "" if stamp.place is None else f"-{stamp.place}"
    return f'"{stamp.version}{place}.{stamp.edits}"'


def is_conditional() -> bool:
    """Whether the present request says which state it has."""
    return "If-None-Match" in request.headers


def is_unchanged(etag: str) -> bool:
    """Whether the present request says that it has this state already."""
    came = request.headers.get("If-None-Match")
    if came is None:
        return False
    return came == etag or request.if_none_match.contains_weak(etag.strip('"'))


def not_modified(etag: str) -> Response:
    """The reply without a body."""
    response = Response(status=304, headers={"ETag": etag})
    response.headers.remove("Content-Type")
    return response
