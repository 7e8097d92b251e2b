"""Idempotency-Keys of uploads and datasets: sending a request again makes nothing new. For jobs: `records.jobs`."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from records.database import lock_pass
from records.errors import IdempotencyKeyReused
from records.set_tables import DatasetKeyTable


def find_made(session: Session, owner_id: int, key: str, request: bytes) -> DatasetKeyTable | None:
    """What this person's key already made, if anything. Another transaction with the same key is waited for.

    Args:
        session: a writing transaction.
        owner_id: the person.
        key: as it came.
        request: all that a request of this key stands for: which address, and which body.

    Raises:
        IdempotencyKeyReused: the key came with another request.
    """
    lock_pass(session, f"dataset_keys.{owner_id}.{key}")
    row = session.get(DatasetKeyTable, (owner_id, key))
    if row is not None and row.body_sha256 != hashlib.sha256(request).hexdigest():
        raise IdempotencyKeyReused(f"The key {key!r} already made something else. Use a new key.")
    return row


def is_known(session: Session, owner_id: int, key: str) -> bool:
    """Whether this person's key has made something."""
    return session.get(DatasetKeyTable, (owner_id, key)) is not None


def remember_made(
    session: Session,
    owner_id: int,
    key: str,
    request: bytes,
    *,
    at: datetime,
    upload_id: str | None = None,
    version_id: int | None = None,
) -> None:
    """Keep what a key made, until that is deleted."""
    digest = hashlib.sha256(request).hexdigest()
    row = DatasetKeyTable(
        owner_id=owner_id, key=key, body_sha256=digest, upload_id=upload_id, version_id=version_id, created_at=at
    )
    session.add(row)
    session.flush()
