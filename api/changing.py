"""If-Match: a change is made only while the thing is as its writer knows it."""

from __future__ import annotations

from collections.abc import Callable

from flask import request
from werkzeug.http import parse_etags


def edits_expected() -> Callable[[int], bool]:
    """Whether a job's `edits` are those of the present request's If-Match; without the header, any are.

    Only what people write counts: a running job changes every second by itself, and nobody could ever edit it.
    """
    tags = _if_match()
    return lambda edits: tags is None or any(tag.rpartition(".")[2] == str(edits) for tag in tags)


def move_expected() -> Callable[[int | None], bool] | None:
    """Whether an alias's last move is that of the present request's If-Match; None where the request does not say.

    `If-None-Match: *` says that there is no such alias yet.
    """
    if request.headers.get("If-None-Match", "").strip() == "*":
        return lambda move_id: move_id is None
    if "If-Match" not in request.headers:
        return None
    tags = _if_match()
    return lambda move_id: move_id is not None and (tags is None or str(move_id) in tags)


def _if_match() -> frozenset[str] | None:
    """The entity tags of If-Match; None for `*` or where there is no such header."""
    came = request.headers.get("If-Match")
    if came is None or came.strip() == "*":
        return None
    etags = parse_etags(came)
    return frozenset(etags.as_set(include_weak=True))
