"""What workers do with a version that is to be checked: claim, renew, name files, and decide. Or lose it.

The version's row is the truth. Every write is guarded by "still being checked, by this worker, at this try"; the set's
row is locked first where both are. Nothing here commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from records.blobs import Blob
from records.database import lock_pass, rows_changed, upsert
from records.dropped import drop
from records.errors import LeaseLost, NotFound
from records.image_sets import PACKS
from records.quotas import Quota, check_bytes, check_images
from records.set_tables import ImageSetTable, SetVersionTable, UploadTable, VersionFileTable
from records.states import VERSION_MOVES, VersionStatus
from records.tables import UserTable, WorkerTable
from records.uploads import drop_unneeded, touch
from records.versions import lock_set

MOST_TRIES = 3
"""So often a check is begun; it costs none when its worker shuts down."""
MANIFEST, REPORT = "manifest.json", "report.json"
_LOOKED_AT = 50


@dataclass(frozen=True)
class IntakeClaim:
    """A version whose check is now this worker's."""

    version_id: int
    set_id: int
    owner_id: int
    worker_id: int
    number: int
    tries: int
    ref: str
    """`anna/ants-bees@2`, for people."""
    options: Mapping[str, Any]
    upload_sha256: str | None
    """Blob of the upload; None for a folder."""
    upload_id: str | None
    folder: str | None
    parent_number: int | None
    parent_manifest_sha256: str | None


@dataclass(frozen=True)
class Contents:
    """What a version that was taken in holds."""

    sha256: str
    """The content hash."""
    classes: Sequence[str]
    counts: Mapping[str, int]
    channels: int
    images: int


def is_waiting(session: Session) -> bool:
    """Whether some version waits for a worker."""
    query = select(SetVersionTable.id).where(*_WAITING).limit(1)
    return session.scalar(query) is not None


def claim_intake(
    session: Session, worker: WorkerTable, *, folders: Sequence[Path], lease_s: float, at: datetime
) -> IntakeClaim | None:
    """Make the version that has waited longest this worker's, if there is one. Of any number of claims, one wins.

    Args:
        session: a writing transaction.
        worker: who claims.
        folders: those below which this worker reads what administrators name; others' versions are left to others.
        lease_s: how long the worker may stay silent, in seconds.
        at: now.
    """
    waiting = session.execute(
        select(SetVersionTable.id, SetVersionTable.folder)
        .where(*_WAITING)
        .order_by(SetVersionTable.id)
        .limit(_LOOKED_AT)
    )
    for version_id, folder in waiting.all():
        if folder is None or any(Path(folder).is_relative_to(allowed) for allowed in folders):
            won = rows_changed(
                session,
                update(SetVersionTable)
                .where(SetVersionTable.id == version_id, *_WAITING)
                .values(
                    worker_id=worker.id,
                    tries=SetVersionTable.tries + 1,
                    lease_expires_at=at + timedelta(seconds=lease_s),
                    progress={},
                ),
            )
            if won == 1:
                return _claim(session, version_id, worker)
    return None


def renew(
    session: Session, claim: IntakeClaim, *, lease_s: float, at: datetime, progress: Mapping[str, Any] | None = None
) -> None:
    """Begin a worker's write: extend the lease, and show how far it is.

    Raises:
        LeaseLost: the version is decided, deleted, or another's: roll back and stop.
    """
    values: dict[str, Any] = {"lease_expires_at": at + timedelta(seconds=lease_s)}
    if progress is not None:
        values["progress"] = dict(progress)
    _guarded(session, claim, **values)


def name_file(session: Session, claim: IntakeClaim, name: str, blob: Blob) -> None:
    """Name a file that has just been stored. At once, not when all are: what no row names may be swept.

    Call `renew` first.
    """
    statement = upsert(session, VersionFileTable).values(
        version_id=claim.version_id, name=name, sha256=blob.sha256, size_bytes=blob.size_bytes
    )
    new = {"sha256": blob.sha256, "size_bytes": blob.size_bytes}
    session.execute(statement.on_conflict_do_update(index_elements=["version_id", "name"], set_=new))


def finish_intake(session: Session, claim: IntakeClaim, contents: Contents, *, quota: Quota, at: datetime) -> None:
    """Make a version ready, whose files are all stored and named.

    Raises:
        QuotaReached: its owner may not have it: roll back, and refuse it.
        NotFound: the version that it adds to is gone: likewise.
        LeaseLost: it is not this worker's any more.
    """
    _lock(session, claim)
    _name_parents_packs(session, claim)
    size_bytes = session.scalar(
        select(func.sum(VersionFileTable.size_bytes)).where(VersionFileTable.version_id == claim.version_id)
    )
    check_bytes(session, claim.owner_id, 0, quota, but_upload=claim.upload_id)
    check_images(session, claim.owner_id, contents.images, quota, but_set=claim.set_id)
    _move(
        session,
        claim.version_id,
        VersionStatus.READY,
        at=at,
        sha256=contents.sha256,
        classes=list(contents.classes),
        counts=dict(contents.counts),
        channels=contents.channels,
        images=contents.images,
        size_bytes=int(size_bytes or 0),
    )
    drop_unneeded(session, claim.upload_id, at=at)


def refuse_intake(session: Session, claim: IntakeClaim, code: str, text: str, *, at: datetime) -> None:
    """Refuse a version. Of its files only the report stays; its upload is kept for another day.

    Raises:
        LeaseLost: it is not this worker's any more.
    """
    _lock(session, claim)
    _refuse(session, claim.version_id, code, text, at=at)


def fail_intake(session: Session, claim: IntakeClaim, code: str, text: str, *, at: datetime) -> None:
    """Let a version be checked again whose check broke through no fault of its images; refuse it after the last try.

    Raises:
        LeaseLost: it is not this worker's any more.
    """
    if claim.tries >= MOST_TRIES:
        refuse_intake(session, claim, code, f"{text} It was tried {claim.tries} times.", at=at)
    else:
        _guarded(session, claim, worker_id=None, lease_expires_at=None, progress={})


def release_intake(session: Session, claim: IntakeClaim) -> None:
    """Give a version back whose check was interrupted; it costs no try.

    Raises:
        LeaseLost: it is not this worker's any more.
    """
    _guarded(session, claim, worker_id=None, lease_expires_at=None, tries=claim.tries - 1, progress={})


def expire_intakes(session: Session, *, at: datetime) -> list[int]:
    """Let versions whose worker fell silent be checked again, or refuse them; their ids."""
    return _free(session, [SetVersionTable.lease_expires_at < at], at=at)


def expire_intakes_of_worker(session: Session, worker_ids: Iterable[int], *, at: datetime) -> list[int]:
    """The same for workers that are known to be gone."""
    return _free(session, [SetVersionTable.worker_id.in_(list(worker_ids))], at=at)


_CHECKING = SetVersionTable.status == VersionStatus.CHECKING
_WAITING = (_CHECKING, SetVersionTable.worker_id.is_(None))


def _claim(session: Session, version_id: int, worker: WorkerTable) -> IntakeClaim:
    version, found, owner, upload_sha256 = session.execute(
        select(SetVersionTable, ImageSetTable, UserTable.name, UploadTable.sha256)
        .join(ImageSetTable, ImageSetTable.id == SetVersionTable.set_id)
        .join(UserTable, UserTable.id == ImageSetTable.owner_id)
        .outerjoin(UploadTable, UploadTable.id == SetVersionTable.upload_id)
        .where(SetVersionTable.id == version_id)
        .execution_options(populate_existing=True)
    ).one()
    parent = _parent(session, found.id, version.parent_number)
    return IntakeClaim(
        version_id=version.id,
        set_id=found.id,
        owner_id=found.owner_id,
        worker_id=worker.id,
        number=version.number,
        tries=version.tries,
        ref=f"{owner}/{found.name}@{version.number}",
        options=version.options,
        upload_sha256=upload_sha256,
        upload_id=version.upload_id,
        folder=version.folder,
        parent_number=version.parent_number,
        parent_manifest_sha256=parent.sha256 if parent else None,
    )


def _parent(session: Session, set_id: int, number: int | None) -> SetVersionTable | None:
    if number is None:
        return None
    query = select(SetVersionTable).where(SetVersionTable.set_id == set_id, SetVersionTable.number == number)
    return session.scalar(query.where(SetVersionTable.status == VersionStatus.READY))


def _lock(session: Session, claim: IntakeClaim) -> None:
    """The set's row, then the version's, if it is still this worker's."""
    try:
        lock_set(session, claim.set_id)
    except NotFound as error:
        raise LeaseLost(error.text) from error
    _guarded(session, claim, lease_expires_at=None)


def _guarded(session: Session, claim: IntakeClaim, **values: Any) -> None:
    statement = update(SetVersionTable).where(
        SetVersionTable.id == claim.version_id,
        SetVersionTable.worker_id == claim.worker_id,
        SetVersionTable.tries == claim.tries,
        _CHECKING,
    )
    if rows_changed(session, statement.values(**values)) != 1:
        raise LeaseLost(f"{claim.ref} is no longer being checked here.")


def _name_parents_packs(session: Session, claim: IntakeClaim) -> None:
    """The images of the version before lie in its packs, which this version names too."""
    if claim.parent_number is None:
        return
    parent = _parent(session, claim.set_id, claim.parent_number)
    if parent is None:
        raise NotFound(f"Version {claim.parent_number}, which this one adds to, has been deleted. Send it anew.")
    packs = session.scalars(
        select(VersionFileTable).where(
            VersionFileTable.version_id == parent.id, VersionFileTable.name.startswith(PACKS)
        )
    )
    for pack in packs.all():
        name_file(session, claim, pack.name, Blob(pack.sha256, pack.size_bytes))


def _refuse(session: Session, version_id: int, code: str, text: str, *, at: datetime) -> None:
    version = session.get_one(SetVersionTable, version_id)
    unneeded = (VersionFileTable.version_id == version_id, VersionFileTable.name != REPORT)
    drop(session, set(session.scalars(select(VersionFileTable.sha256).where(*unneeded))), at=at)
    session.execute(delete(VersionFileTable).where(*unneeded))
    if version.upload_id is not None:
        touch(session, version.upload_id, at=at)
    _move(session, version_id, VersionStatus.REFUSED, at=at, reason_code=code, reason_text=text)


def _move(session: Session, version_id: int, to: VersionStatus, *, at: datetime, **columns: Any) -> None:
    """Change the status of a locked version."""
    before = [status for status, after in VERSION_MOVES.items() if to in after]
    moved = rows_changed(
        session,
        update(SetVersionTable)
        .where(SetVersionTable.id == version_id, SetVersionTable.status.in_(before))
        .values(status=to, decided_at=at, worker_id=None, lease_expires_at=None, progress={}, **columns),
    )
    if moved != 1:
        raise LeaseLost(f"Version {version_id} has been decided already.")


def _free(session: Session, where: Sequence[Any], *, at: datetime) -> list[int]:
    lock_pass(session, "intakes")
    lost = session.scalars(
        select(SetVersionTable)
        .where(_CHECKING, SetVersionTable.worker_id.is_not(None), *where)
        .order_by(SetVersionTable.id)
        .with_for_update()
    ).all()
    for version in lost:
        if version.tries >= MOST_TRIES:
            text = (
                f"Its check was begun {version.tries} times, and each time its worker fell silent or died. "
                "Look into the worker's log; then send it again."
            )
            _refuse(session, version.id, "intake_lost", text, at=at)
        else:
            version.worker_id = version.lease_expires_at = None
            version.progress = {}
    session.flush()
    return [version.id for version in lost]
