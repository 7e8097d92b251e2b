"""What people do with their datasets: begin a version, delete one, delete a set. No function here commits.

Order of locks: the set's row first, then its version's. What a worker does with a version: `records.intakes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Exists, delete, exists, select
from sqlalchemy.orm import Session

from records.access import Viewer
from records.catalogue import CATALOGUE
from records.database import lock_pass
from records.dataset_uses import refuse_if_used
from records.dropped import drop
from records.errors import Conflict, FieldProblem, InvalidSpec, NotFound
from records.image_sets import FoundSet, find_version
from records.quotas import Quota, check_datasets
from records.set_tables import DatasetKeyTable, ImageSetTable, SetVersionTable, VersionFileTable
from records.states import VersionStatus
from records.uploads import use_upload


@dataclass(frozen=True)
class Source:
    """Where the images of a version come from: an upload, or a folder on a worker's machine."""

    upload_id: str | None = None
    folder: str | None = None


@dataclass(frozen=True)
class Parent:
    """What a version adds to: the newest ready one unless a number is named; nothing where `none` is set."""

    number: int | None = None
    none: bool = False


def begin_set(
    session: Session,
    person_id: int,
    name: str,
    *,
    source: Source,
    options: Mapping[str, Any],
    quota: Quota,
    at: datetime,
) -> SetVersionTable:
    """The first version of a new set. A name whose versions were all refused may be used again.

    Raises:
        Conflict: the name is taken, or the upload is not whole.
        QuotaReached: the person may have no more sets.
        NotFound: this person has no such upload.
    """
    lock_pass(session, f"image_sets.{person_id}")  # of two that race for a name, the later finds the earlier's
    found = check_name(session, person_id, name)
    if found is None:
        check_datasets(session, person_id, quota)
        found = ImageSetTable(owner_id=person_id, name=name, last_number=0, created_at=at)
        session.add(found)
        session.flush()
    return _begin(session, found, source, parent=None, options=options, by=person_id, at=at)


def check_name(session: Session, person_id: int, name: str) -> ImageSetTable | None:
    """Whether a person may call a new set so. If versions of that name were refused, or all deleted, its locked row.

    Raises:
        Conflict: the name is taken.
    """
    if name in CATALOGUE:
        raise Conflict(f"{name} is a dataset of the catalogue. Choose another name.")
    query = select(ImageSetTable).where(ImageSetTable.owner_id == person_id, ImageSetTable.name == name)
    found = session.scalar(query.with_for_update())
    if found is not None and session.scalar(select(_has_living(found.id))):
        raise Conflict(
            f"You have a dataset {name} already. To add images to it, or to replace them, make a version of it: "
            f"POST /datasets/{name}/versions, or `trainyard datasets upload --add`."
        )
    return found


def begin_version(
    session: Session,
    found: FoundSet,
    *,
    person_id: int,
    source: Source,
    parent: Parent,
    options: Mapping[str, Any],
    at: datetime,
) -> SetVersionTable:
    """The next version of a set.

    Raises:
        Conflict: the parent is not ready, or the upload is not whole.
        InvalidSpec: the options do not go with the parent.
        NotFound: there is no such parent, or this person has no such upload.
    """
    row = lock_set(session, found.row.id)
    base = None if parent.none else _parent(session, found, parent.number)
    if base is not None and base.task != options["task"]:
        text = (
            f"Expected {base.task!r}, the task of version {base.number} that this one adds to, got {options['task']!r}."
        )
        raise InvalidSpec([FieldProblem("task", text)])
    return _begin(session, row, source, parent=base, options=options, by=person_id, at=at)


def delete_version(session: Session, found: FoundSet, number: int, *, viewer: Viewer, at: datetime) -> None:
    """Delete a version; its blobs go once nothing names them. One that is being checked is given up.

    Raises:
        NotFound: there is none.
        DatasetInUse: jobs name it.
        Conflict: another is being checked that adds to it.
    """
    lock_set(session, found.row.id)
    version = find_version(session, found, number)
    child = session.scalar(
        select(SetVersionTable.number).where(
            SetVersionTable.set_id == found.row.id,
            SetVersionTable.parent_number == number,
            SetVersionTable.status == VersionStatus.CHECKING,
        )
    )
    if child is not None:
        raise Conflict(
            f"Version {child} is being checked, and adds to version {number}. Wait, or delete {child} first."
        )
    _delete(session, f"{found.ref}@{number}", [version.id], viewer=viewer, at=at)


def delete_set(session: Session, found: FoundSet, *, viewer: Viewer, at: datetime) -> None:
    """Delete a set with all its versions.

    Raises:
        NotFound: it has just been deleted.
        DatasetInUse: jobs name one of them.
    """
    lock_set(session, found.row.id)
    ids = session.scalars(select(SetVersionTable.id).where(SetVersionTable.set_id == found.row.id)).all()
    _delete(session, found.ref, ids, viewer=viewer, at=at)
    session.execute(delete(ImageSetTable).where(ImageSetTable.id == found.row.id))


def lock_set(session: Session, set_id: int) -> ImageSetTable:
    """A set's row, locked until the transaction ends and fresh from the database.

    Raises:
        NotFound: it has been deleted.
    """
    query = select(ImageSetTable).where(ImageSetTable.id == set_id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("This dataset has just been deleted.")
    return found


def _begin(
    session: Session,
    row: ImageSetTable,
    source: Source,
    *,
    parent: SetVersionTable | None,
    options: Mapping[str, Any],
    by: int,
    at: datetime,
) -> SetVersionTable:
    if source.upload_id is not None:
        use_upload(session, source.upload_id, by, at=at)
    row.last_number += 1
    version = SetVersionTable(
        set_id=row.id,
        number=row.last_number,
        status=VersionStatus.CHECKING,
        parent_number=parent.number if parent else None,
        upload_id=source.upload_id,
        folder=source.folder,
        options=dict(options),
        created_by_id=by,
        created_at=at,
        tries=0,
        progress={},
        task=options["task"],
        classes=[],
        counts={},
        channels=0,
        images=0,
        size_bytes=0,
    )
    session.add(version)
    session.flush()
    return version


def _parent(session: Session, found: FoundSet, number: int | None) -> SetVersionTable | None:
    if number is None:
        newest = select(SetVersionTable).where(
            SetVersionTable.set_id == found.row.id, SetVersionTable.status == VersionStatus.READY
        )
        return session.scalar(newest.order_by(SetVersionTable.number.desc()).limit(1))
    version = find_version(session, found, number)
    if version.status != VersionStatus.READY:
        raise Conflict(f"Version {number} is {version.status}; only a ready one can be added to.")
    return version


def _has_living(set_id: int) -> Exists:
    """Whether a set has a version that is ready or may become so."""
    return exists(SetVersionTable.id).where(
        SetVersionTable.set_id == set_id, SetVersionTable.status != VersionStatus.REFUSED
    )


def _delete(session: Session, what: str, ids: Sequence[int], *, viewer: Viewer, at: datetime) -> None:
    """Delete versions whose set is locked."""
    # Locked: whoever submits a job on one of them just now is waited for, and finds none when we come first.
    session.execute(
        select(SetVersionTable.id).where(SetVersionTable.id.in_(ids)).order_by(SetVersionTable.id).with_for_update()
    )
    refuse_if_used(session, what, ids, viewer)
    digests = session.scalars(select(VersionFileTable.sha256).where(VersionFileTable.version_id.in_(ids)))
    drop(session, set(digests), at=at)
    for table in (VersionFileTable, DatasetKeyTable):
        session.execute(delete(table).where(table.version_id.in_(ids)))
    session.execute(delete(SetVersionTable).where(SetVersionTable.id.in_(ids)))
