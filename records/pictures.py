"""Single pictures of people's, for jobs that need no dataset: kept, used by jobs, swept. Nothing here commits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from records.database import lock_pass
from records.dropped import drop
from records.errors import FieldProblem, InvalidSpec, NotFound, PictureInUse, QuotaReached
from records.picture_tables import JobPictureTable, PictureTable

KEPT = timedelta(days=1)
"""A picture that no job has named for so long after it came is swept."""


class NewPicture(NamedTuple):
    """A picture that was decoded, written anew and stored."""

    name: str
    sha256: str
    size_bytes: int
    media_type: str
    width: int
    height: int


def check_picture_room(session: Session, owner_id: int, more: int, *, most: int) -> None:
    """See whether somebody may have so many pictures more.

    Raises:
        QuotaReached: they may not.
    """
    count = session.scalar(select(func.count()).where(PictureTable.owner_id == owner_id)) or 0
    if count + more > most:
        raise QuotaReached(
            f"You have {count} pictures; with {more} more they would exceed the {most} that one person may have. "
            "Delete some; those that no job names go by themselves after a day."
        )


def add_pictures(
    session: Session, owner_id: int, pictures: Sequence[NewPicture], *, most: int, at: datetime
) -> Sequence[PictureTable]:
    """Keep stored pictures, in their order.

    Raises:
        QuotaReached: this person would have more than `most`.
    """
    lock_pass(session, f"pictures.{owner_id}")
    check_picture_room(session, owner_id, len(pictures), most=most)
    rows = [PictureTable(owner_id=owner_id, created_at=at, **picture._asdict()) for picture in pictures]
    session.add_all(rows)
    session.flush()
    return rows


def find_picture(
    session: Session, picture_id: int, owner_id: int | None, *, lock: bool = False, share: bool = False
) -> PictureTable:
    """A picture.

    Args:
        session: for reading, or for writing with `lock` or `share`.
        picture_id: its number.
        owner_id: the person who may see only their own; None sees everybody's.
        lock: hold its row until the transaction ends.
        share: keep it from being deleted until the transaction ends.

    Raises:
        NotFound: there is none that this person may see.
    """
    query = select(PictureTable).where(PictureTable.id == picture_id)
    if lock or share:
        query = query.with_for_update(read=share, key_share=share)
    row = session.scalar(query)
    if row is None or owner_id not in (None, row.owner_id):
        raise NotFound(f"There is no picture {picture_id} that you can see. Upload it with POST /pictures.")
    return row


def list_pictures(session: Session, owner_id: int, *, before: int | None = None, limit: int) -> Sequence[PictureTable]:
    """A person's pictures, the newest first."""
    query = select(PictureTable).where(PictureTable.owner_id == owner_id)
    if before is not None:
        query = query.where(PictureTable.id < before)
    return session.scalars(query.order_by(PictureTable.id.desc()).limit(limit)).all()


def delete_picture(session: Session, picture_id: int, owner_id: int | None, *, at: datetime) -> None:
    """Forget a picture.

    Raises:
        NotFound: there is none that this person may see.
        PictureInUse: a job names it.
    """
    row = find_picture(session, picture_id, owner_id, lock=True)
    job_id = session.scalar(select(JobPictureTable.job_id).where(JobPictureTable.picture_id == picture_id).limit(1))
    if job_id is not None:
        raise PictureInUse(
            f"Picture {picture_id} cannot be deleted: job {job_id} names it, and keeps it for its record."
        )
    session.delete(row)
    session.flush()
    drop(session, [row.sha256], at=at)


def use_pictures(session: Session, job_id: int, picture_ids: Collection[int]) -> None:
    """Note that a job names these pictures, so that they stay.

    Raises:
        InvalidSpec: one has been deleted a moment ago.
    """
    for picture_id in sorted(set(picture_ids)):
        try:
            find_picture(session, picture_id, None, share=True)
        except NotFound as error:
            raise InvalidSpec([FieldProblem("", f"Picture {picture_id} has just been deleted.")]) from error
        session.add(JobPictureTable(job_id=job_id, picture_id=picture_id))
    session.flush()


def expire_pictures(session: Session, *, at: datetime) -> None:
    """Forget pictures that came long ago and that no job names."""
    named = exists().where(JobPictureTable.picture_id == PictureTable.id)
    query = select(PictureTable).where(PictureTable.created_at < at - KEPT, ~named)
    old = session.scalars(query.with_for_update(skip_locked=True)).all()
    if old:
        session.execute(delete(PictureTable).where(PictureTable.id.in_([row.id for row in old])))
        drop(session, {row.sha256 for row in old}, at=at)
