"""What the present person may see: members their own, administrators all. Another's is as good as absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.asking import OwnerQuery, read_query
from api.auth import require_person
from api.shapes import job_shape
from records.errors import NotFound
from records.model_reading import Asker, VersionRow, find_version
from records.reading import JobStamp, job_stamp, read_attempts, read_job, stamp_of
from records.references import Reference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def visible_stamp(session: Session, job_id: int) -> JobStamp:
    """The stamp of a job that the present person may see: one small statement.

    Raises:
        NotFound: there is none.
    """
    return _seen(job_stamp(session, job_id), job_id)


def visible_job(session: Session, job_id: int) -> tuple[JobStamp, dict[str, Any]]:
    """The stamp and the JSON of a job that the present person may see.

    Raises:
        NotFound: there is none.
    """
    row = read_job(session, job_id)
    if row is None:
        raise _absent(job_id)
    stamp = _seen(stamp_of(row), job_id)
    return stamp, job_shape(row, read_attempts(session, [job_id])[job_id])


def shown_job(session: Session, job_id: int) -> dict[str, Any]:
    """The JSON of a job, whoever may see it: call `visible_stamp` first."""
    row = read_job(session, job_id)
    if row is None:
        raise _absent(job_id)
    return job_shape(row, read_attempts(session, [job_id])[job_id])


def owner_filter(*, mine: bool = False) -> int | None:
    """Whose jobs a list holds for the present person: an owner's id, or None for everybody's."""
    person = require_person()
    return None if person.is_admin and not mine else person.id


def asker() -> Asker:
    """The present person, as registered models are looked up."""
    person = require_person()
    return Asker(person.id, sees_all=person.is_admin)


def visible_version(session: Session, name: str, number: int) -> VersionRow:
    """A version of a registered model, of the owner in the present query.

    Raises:
        NotFound: there is none that the present person may see.
    """
    if number < 1:
        raise NotFound(f"There is no version {number}: they are counted from 1.")
    wanted = Reference(name, read_query(OwnerQuery).owner, number=number)
    return find_version(session, asker(), wanted)


def _seen(stamp: JobStamp | None, job_id: int) -> JobStamp:
    person = require_person()
    if stamp is None or not (person.is_admin or stamp.owner_id == person.id):
        raise _absent(job_id)
    return stamp


def _absent(job_id: int) -> NotFound:
    return NotFound(f"There is no job {job_id} that you can see.")
