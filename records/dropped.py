"""Blobs whose rows were deleted: remembered, so that a worker deletes their bytes after a rest.

Not at once: blobs are addressed by content, and somebody may have stored the same bytes a moment ago and not yet
named them. Storing renews a blob's time, so an old one that no row names is nobody's.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from records.database import upsert
from records.model_tables import ModelFileTable
from records.picture_tables import PictureTable
from records.set_tables import DroppedBlobTable, UploadTable, VersionFileTable
from records.tables import ArtifactTable, DatasetTable, PredictionImageTable, YardTable
from records.yard import note_time, read_time

_NAMES = (
    ArtifactTable.sha256,
    DatasetTable.sheet_sha256,
    VersionFileTable.sha256,
    UploadTable.sha256,
    PredictionImageTable.sha256,
    ModelFileTable.sha256,
    PictureTable.sha256,
)
"""Every column that names a blob. A table that is not here loses its bytes."""
_AT_ONCE = 500
_HELD_UNTIL = "blobs_held_until"


def drop(session: Session, digests: Collection[str], *, at: datetime) -> None:
    """Remember addresses that rows named until now, those that still have a row among them."""
    for digest in sorted(digests):
        statement = upsert(session, DroppedBlobTable).values(sha256=digest, dropped_at=at)
        session.execute(statement.on_conflict_do_update(index_elements=["sha256"], set_={"dropped_at": at}))


def rested(session: Session, *, before: datetime) -> list[str]:
    """Addresses that were dropped before this time."""
    query = select(DroppedBlobTable.sha256).where(DroppedBlobTable.dropped_at < before)
    return list(session.scalars(query.order_by(DroppedBlobTable.dropped_at).limit(_AT_ONCE)))


def unnamed(session: Session, digests: Collection[str]) -> list[str]:
    """Those of some addresses that no row names."""
    named = {digest for column in _NAMES for digest in session.scalars(select(column).where(column.in_(digests)))}
    return sorted(set(digests) - named)


def columns_that_name_blobs() -> list[tuple[str, str]]:
    """Table and column of each."""
    return [(column.class_.__tablename__, column.key) for column in _NAMES]


def hold_blobs(session: Session, *, until: datetime) -> None:
    """Let no blob be deleted before this time: a backup reads them."""
    note_time(session, _HELD_UNTIL, until)


def release_blobs(session: Session) -> None:
    """Let blobs be deleted again."""
    session.execute(delete(YardTable).where(YardTable.name == _HELD_UNTIL))


def are_held(session: Session, *, at: datetime) -> bool:
    """Whether no blob may be deleted at present."""
    until = read_time(session, _HELD_UNTIL)
    return until is not None and until > at


def forget(session: Session, digests: Collection[str], *, before: datetime) -> None:
    """Remember these addresses no longer, as their bytes are gone or named; but those that were dropped again since."""
    gone = DroppedBlobTable.sha256.in_(digests), DroppedBlobTable.dropped_at < before
    session.execute(delete(DroppedBlobTable).where(*gone))
