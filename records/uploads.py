"""Uploads as rows: begun, whole, used by a version, swept. Their bytes are `records.upload_parts`'s until they are
whole, and a blob then. No function here commits.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Exists, delete, exists, select, update
from sqlalchemy.orm import Session

from records.database import lock_pass, rows_changed
from records.dropped import drop
from records.errors import Conflict, NotFound, shorten
from records.quotas import Quota, check_bytes
from records.set_tables import DatasetKeyTable, SetVersionTable, UploadTable
from records.states import VersionStatus
from records.upload_parts import UPLOAD_ID

KEPT = timedelta(days=1)
"""An upload with which nothing has been done for so long is swept."""


def begin_upload(
    session: Session,
    owner_id: int,
    name: str,
    *,
    size_bytes: int,
    sha256: str | None,
    quota: Quota,
    at: datetime,
) -> UploadTable:
    """A new upload, of which nothing has come.

    Raises:
        QuotaReached: its owner may not have so many bytes more.
    """
    lock_pass(session, f"image_sets.{owner_id}")
    check_bytes(session, owner_id, size_bytes, quota)
    upload = UploadTable(
        id=secrets.token_hex(16),
        owner_id=owner_id,
        name=name,
        size_bytes=size_bytes,
        expected_sha256=sha256,
        created_at=at,
        touched_at=at,
    )
    session.add(upload)
    session.flush()
    return upload


def find_upload(session: Session, upload_id: str, owner_id: int | None, *, lock: bool = False) -> UploadTable:
    """An upload.

    Args:
        session: for reading, or for writing with `lock`.
        upload_id: its id.
        owner_id: the person who may see only their own; None sees everybody's.
        lock: hold its row until the transaction ends.

    Raises:
        NotFound: there is none that this person may see.
    """
    query = select(UploadTable).where(UploadTable.id == upload_id)
    found = session.scalar(query.with_for_update() if lock else query) if UPLOAD_ID.fullmatch(upload_id) else None
    if found is None or owner_id not in (None, found.owner_id):
        raise NotFound(
            f"There is no upload {shorten(repr(upload_id))} that you can see. "
            "One that is not touched for a day is dropped."
        )
    return found


def list_uploads(session: Session, owner_id: int, *, limit: int) -> Sequence[UploadTable]:
    """A person's uploads, the newest first."""
    query = select(UploadTable).where(UploadTable.owner_id == owner_id)
    return session.scalars(query.order_by(UploadTable.created_at.desc(), UploadTable.id).limit(limit)).all()


def touch(session: Session, upload_id: str, *, at: datetime) -> None:
    """Something was sent: keep it for another day."""
    session.execute(update(UploadTable).where(UploadTable.id == upload_id).values(touched_at=at))


def complete(session: Session, upload_id: str, sha256: str, *, at: datetime) -> bool:
    """Note that all of it has come, and is this blob. False when it has been deleted meanwhile: the blob is dropped."""
    statement = update(UploadTable).where(UploadTable.id == upload_id).values(sha256=sha256, touched_at=at)
    if rows_changed(session, statement) == 1:
        return True
    drop(session, [sha256], at=at)
    return False


def note_size(session: Session, upload_id: str, size_bytes: int) -> None:
    """Note how large an upload has become whose size nobody knew before."""
    session.execute(update(UploadTable).where(UploadTable.id == upload_id).values(size_bytes=size_bytes))


def use_upload(session: Session, upload_id: str, owner_id: int, *, at: datetime) -> UploadTable:
    """A whole upload of this person, locked, for a version that is to be made from it.

    Raises:
        NotFound: this person has no such upload.
        Conflict: it is not whole yet.
    """
    upload = find_upload(session, upload_id, owner_id, lock=True)
    if upload.sha256 is None:
        raise Conflict(f"Upload {upload.id} is not whole yet. Send the rest of its {upload.size_bytes:,} bytes first.")
    upload.touched_at = at
    session.flush()
    return upload


def delete_upload(session: Session, upload_id: str, owner_id: int | None, *, at: datetime) -> None:
    """Drop an upload; delete its file afterwards.

    Raises:
        NotFound: there is none that this person may see.
        Conflict: a version is being made from it.
    """
    upload = find_upload(session, upload_id, owner_id, lock=True)
    if session.scalar(select(_is_in_use(upload.id))):
        raise Conflict("A dataset is being checked from this upload. Wait until it is decided, or delete that first.")
    _remove(session, [upload], at=at)


def drop_unneeded(session: Session, upload_id: str | None, *, at: datetime) -> None:
    """Drop an upload from which a version has become ready, unless another is being made from it."""
    upload = session.get(UploadTable, upload_id) if upload_id is not None else None
    if upload is not None and not session.scalar(select(_is_in_use(upload.id))):
        _remove(session, [upload], at=at)


def expire_uploads(session: Session, *, at: datetime) -> list[str]:
    """Drop uploads that nobody has touched for a day; the ids, whose files must be deleted."""
    old = session.scalars(
        select(UploadTable)
        .where(UploadTable.touched_at < at - KEPT, ~_is_in_use(UploadTable.id))
        .order_by(UploadTable.id)
        .with_for_update()
    ).all()
    _remove(session, old, at=at)
    return [upload.id for upload in old]


def known_uploads(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of these ids that are uploads under way."""
    query = select(UploadTable.id).where(UploadTable.id.in_(ids), UploadTable.sha256.is_(None))
    return set(session.scalars(query))


def _is_in_use(upload_id: Any) -> Exists:
    """Whether a version is being made from an upload."""
    return exists(SetVersionTable.id).where(
        SetVersionTable.upload_id == upload_id, SetVersionTable.status == VersionStatus.CHECKING
    )


def _remove(session: Session, uploads: Sequence[UploadTable], *, at: datetime) -> None:
    ids = [upload.id for upload in uploads]
    if not ids:
        return
    drop(session, {upload.sha256 for upload in uploads if upload.sha256}, at=at)
    session.execute(update(SetVersionTable).where(SetVersionTable.upload_id.in_(ids)).values(upload_id=None))
    session.execute(delete(DatasetKeyTable).where(DatasetKeyTable.upload_id.in_(ids)))
    session.execute(delete(UploadTable).where(UploadTable.id.in_(ids)))
