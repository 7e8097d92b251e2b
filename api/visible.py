"""What the present person may see and change: asked here, decided in `records.access`.

What they may not see is as good as absent: 404. What they may see but not change is refused: 403.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.asking import OwnerQuery, read_query
from api.auth import require_person
from api.shapes import job_shape
from records.access import Viewer, check_change, sees, viewer_of
from records.errors import NotFound
from records.model_reading import VersionRow, find_model, find_version
from records.reading import JobStamp, job_stamp, read_attempts, read_job, stamp_of
from records.references import Reference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from records.model_tables import RegisteredModelTable


def viewer() -> Viewer:
    """The present person, as one who looks."""
    return viewer_of(require_person())


def only_mine(mine: bool) -> int | None:
    """Whose things a list holds besides that the present person may see them: an owner's id, or None for any."""
    return require_person().id if mine else None


def only_senders() -> int | None:
    """Whose predictions and use of devices the present person may see: their own; an administrator's None is any."""
    person = require_person()
    return None if person.is_admin else person.id


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────


def visible_stamp(session: Session, job_id: int) -> JobStamp:
    """The stamp of a job that the present person may see: one small statement.

    Raises:
        NotFound: there is none.
    """
    return _seen(session, job_stamp(session, job_id), job_id)


def changeable_job(session: Session, job_id: int) -> JobStamp:
    """The stamp of a job that the present person may change.

    Raises:
        NotFound: there is none that they may see.
        Forbidden: they may only look at it.
    """
    stamp = visible_stamp(session, job_id)
    check_change(viewer(), stamp.owner_id, f"job {job_id}")
    return stamp


def visible_job(session: Session, job_id: int) -> tuple[JobStamp, dict[str, Any]]:
    """The stamp and the JSON of a job that the present person may see.

    Raises:
        NotFound: there is none.
    """
    row = read_job(session, job_id)
    if row is None:
        raise _absent(job_id)
    stamp = _seen(session, stamp_of(row), job_id)
    return stamp, job_shape(row, read_attempts(session, [job_id])[job_id])


def shown_job(session: Session, job_id: int) -> dict[str, Any]:
    """The JSON of a job, whoever may see it: call `visible_stamp` first."""
    row = read_job(session, job_id)
    if row is None:
        raise _absent(job_id)
    return job_shape(row, read_attempts(session, [job_id])[job_id])


# ── registered models ────────────────────────────────────────────────────────────────────────────────────────


def visible_version(session: Session, name: str, number: int) -> VersionRow:
    """A version of a registered model, of the owner in the present query.

    Raises:
        NotFound: there is none that the present person may see.
    """
    if number < 1:
        raise NotFound(f"There is no version {number}: they are counted from 1.")
    wanted = Reference(name, read_query(OwnerQuery).owner, number=number)
    return find_version(session, viewer(), wanted)


def changeable_model(session: Session, name: str, owner: str | None) -> tuple[RegisteredModelTable, str]:
    """A registered model that the present person may change, and its owner's name.

    Raises:
        NotFound: there is none that they may see.
        Forbidden: they may only look at it.
    """
    model, owner = find_model(session, viewer(), name, owner)
    check_change(viewer(), model.owner_id, f"the model {owner}/{name}")
    return model, owner


def changeable_version(session: Session, name: str, number: int) -> VersionRow:
    """A version of a registered model that the present person may change, of the owner in the present query.

    Raises:
        NotFound: there is none that they may see.
        Forbidden: they may only look at it.
    """
    changeable_model(session, name, read_query(OwnerQuery).owner)
    return visible_version(session, name, number)


def _seen(session: Session, stamp: JobStamp | None, job_id: int) -> JobStamp:
    if stamp is None or not sees(session, viewer(), stamp):
        raise _absent(job_id)
    return stamp


def _absent(job_id: int) -> NotFound:
    return NotFound(f"There is no job {job_id} that you can see.")
