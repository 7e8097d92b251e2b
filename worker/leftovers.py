"""The bytes of what was dropped from the database, deleted after a while: blobs, and the files of uploads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

from records.blobs import Blobs
from records.clock import utc_now
from records.database import Database
from records.dropped import are_held, forget, rested, unnamed
from records.upload_parts import UploadParts
from records.uploads import KEPT, known_uploads

_REST_S = 600.0
"""Between storing bytes and naming them in a row lies less, also where the database is away for a while."""


def sweep_blobs(database: Database, blobs: Blobs, *, rest_s: float = _REST_S) -> None:
    """Delete blobs that were dropped, and last stored, more than `rest_s` seconds ago, and that no row names;
    none while a backup is made.
    """
    before = utc_now() - timedelta(seconds=rest_s)
    with database.read() as session:
        if are_held(session, at=utc_now()):
            return
        waiting = rested(session, before=before)
        free = unnamed(session, waiting) if waiting else []
    kept = {digest for digest in free if not blobs.discard(digest, stored_before=before)}
    if waiting:
        with database.write() as session:
            forget(session, set(waiting) - kept, before=before)


def sweep_uploads(database: Database, blobs: Blobs, expired: Sequence[str]) -> None:
    """Delete the files of uploads that have just expired, and those of uploads that nobody knows any more."""
    parts = UploadParts(blobs)
    for upload_id in expired:
        parts.delete(upload_id)
    old = parts.ids(untouched_since=time.time() - KEPT.total_seconds())
    if old:
        with database.read() as session:
            known = known_uploads(session, old)
        for upload_id in set(old) - known:
            parts.delete(upload_id)
