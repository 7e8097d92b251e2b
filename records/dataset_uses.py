"""Which jobs name which versions of people's datasets: written when a job is submitted, asked when one is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records.access import Viewer, seen_by
from records.catalogue import CATALOGUE
from records.errors import DatasetInUse, FieldProblem, InvalidSpec
from records.image_sets import parse_reference
from records.set_tables import ImageSetTable, JobDatasetTable, SetVersionTable
from records.states import VersionStatus
from records.tables import JobTable, UserTable

_MOST_LISTED = 100


def use_datasets(session: Session, job_id: int, refs: Iterable[str]) -> None:
    """Note that a job names these datasets, so that they stay.

    Args:
        session: a writing transaction.
        job_id: of the job.
        refs: as in `records.library.DatasetCard`; those of the catalogue need no note.

    Raises:
        InvalidSpec: one has been deleted a moment ago.
    """
    for ref in sorted(set(refs) - set(CATALOGUE)):
        version_id = _lock_version(session, ref)
        if version_id is None:
            raise InvalidSpec([FieldProblem("dataset", f"The dataset {ref} has just been deleted.")])
        session.add(JobDatasetTable(job_id=job_id, version_id=version_id))
    session.flush()


def refuse_if_used(session: Session, what: str, version_ids: Sequence[int], viewer: Viewer) -> None:
    """Check that no job names one of these versions.

    Raises:
        DatasetInUse: some do; those that the viewer may see are listed.
    """
    using = JobTable.id.in_(select(JobDatasetTable.job_id).where(JobDatasetTable.version_id.in_(version_ids)))
    count = session.scalar(select(func.count()).select_from(JobTable).where(using)) or 0
    if count:
        query = (
            select(JobTable.id).where(using, seen_by(viewer, JobTable)).order_by(JobTable.id.desc()).limit(_MOST_LISTED)
        )
        listed = list(session.scalars(query))
        raise DatasetInUse(_text(what, listed, count - len(listed)), jobs=listed, others=count - len(listed))


def _lock_version(session: Session, ref: str) -> int | None:
    """The id of a ready version, which cannot be deleted until the transaction ends."""
    named = parse_reference(ref)
    query = (
        select(SetVersionTable.id)
        .join(ImageSetTable, ImageSetTable.id == SetVersionTable.set_id)
        .join(UserTable, UserTable.id == ImageSetTable.owner_id)
        .where(
            UserTable.name == named.owner,
            ImageSetTable.name == named.name,
            SetVersionTable.number == named.number,
            SetVersionTable.status == VersionStatus.READY,
        )
    )
    return session.scalar(query.with_for_update(read=True, key_share=True, of=SetVersionTable))


def _text(what: str, listed: Sequence[int], others: int) -> str:
    shown = ", ".join(map(str, listed[:10])) + (" …" if len(listed) > 10 else "")
    mine = f"job{'s' if len(listed) > 1 else ''} {shown}" if listed else ""
    more = f"{others} job{'s' if others > 1 else ''} that {'are' if others > 1 else 'is'} not listed" if others else ""
    used = " and ".join(part for part in (mine, more) if part)
    return f"{what} cannot be deleted: {used} named it, and what a job was trained on stays for its record."
