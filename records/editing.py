"""What people write on a job after it was sent: its title, a note, tags. None of it changes what the job does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, field_validator
from sqlalchemy.orm import Session

from records.errors import PreconditionFailed
from records.jobs import add_event, change, lock_job
from records.specs.base import Strict
from records.tables import JobTable

TAG = r"^[a-z0-9][a-z0-9_.:-]{0,49}$"
MOST_TAGS = 20
Tag = Annotated[str, Field(pattern=TAG, max_length=50)]


class JobEdit(Strict):
    """A change to what is written on a job, as a merge patch: what is left out stays, null takes away."""

    name: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None
    """A title for people."""
    note: Annotated[str, Field(max_length=5_000)] | None = None
    """Plain text; line breaks are kept."""
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS)] | None = None
    """All of the job's tags: small letters, digits and `_ . : -`."""

    @field_validator("tags")
    @classmethod
    def _each_once(cls, tags: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if tags is None else tuple(dict.fromkeys(tags))


def edit(
    session: Session, job_id: int, wanted: JobEdit, *, expected: Callable[[int], bool], actor: str, at: datetime
) -> None:
    """Write on a job; where that changes nothing, nothing is recorded.

    Args:
        session: an open writing transaction.
        job_id: of the job.
        wanted: the change.
        expected: whether the job's `edits` are what the writer believes.
        actor: `user:NAME`.
        at: now.

    Raises:
        PreconditionFailed: somebody else has written since.
    """
    job = lock_job(session, job_id)
    if not expected(job.edits):
        raise PreconditionFailed(f"Somebody has edited job {job_id} since you looked. Look again, then write.")
    columns = _changed(job, wanted)
    if not columns:
        return
    change(session, job_id, edits=JobTable.edits + 1, **columns)
    add_event(session, job_id, "edited", actor=actor, at=at, text=f"Changed {', '.join(sorted(columns))}.")
    session.refresh(job)


def _changed(job: JobTable, wanted: JobEdit) -> dict[str, Any]:
    new = {"name": wanted.name or "", "note": wanted.note or None, "tags": wanted.tags or ()}
    return {name: new[name] for name in wanted.model_fields_set if new[name] != getattr(job, name)}
