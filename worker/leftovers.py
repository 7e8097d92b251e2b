"""Blobs of dropped checkpoints, deleted after a while.

Not at once: blobs are addressed by content, and another attempt may have stored the same bytes a moment ago and not
yet named them. Storing renews a blob's time, so an old one that no row names is nobody's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from records.artifacts import unnamed
from records.blobs import FolderBlobs
from records.database import Database

_REST_S = 60.0


class Leftovers:
    """Addresses that were dropped, until they are swept. A worker that dies forgets them, which only costs room."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[str] = set()

    def add(self, digests: Iterable[str]) -> None:
        """Remember addresses for a later sweep."""
        with self._lock:
            self._waiting.update(digests)

    def sweep(self, database: Database, blobs: FolderBlobs, *, rest_s: float = _REST_S) -> None:
        """Delete the blobs that were stored more than `rest_s` seconds ago and that no row names."""
        with self._lock:
            waiting = sorted(self._waiting)
        rested = [digest for digest in waiting if _age_s(blobs, digest) > rest_s]
        if not rested:
            return
        with database.read() as session:
            free = unnamed(session, rested)
        for digest in free:
            blobs.delete(digest)
        with self._lock:
            self._waiting.difference_update(rested)


def _age_s(blobs: FolderBlobs, digest: str) -> float:
    try:
        return time.time() - blobs.path(digest).stat().st_mtime
    except FileNotFoundError:
        return float("inf")
