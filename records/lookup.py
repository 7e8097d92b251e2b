"""The library of this yard: what `records.library` promises, read from the database."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.artifacts import list_artifacts
from records.catalogue import find_dataset
from records.errors import NotFound
from records.library import DatasetCard, RunCard, card_of
from records.tables import JobTable


class YardLibrary:
    """What a person can refer to.

    Args:
        session: for reading; asked only when something is looked up.
        owner_id: the person who may see only their own; None sees everything.
    """

    def __init__(self, session: Session, owner_id: int | None = None) -> None:
        self._session = session
        self._owner_id = owner_id

    def dataset(self, ref: str) -> DatasetCard:
        """The dataset of that name.

        Raises:
            NotFound: there is none that this person can see.
        """
        return card_of(find_dataset(ref))

    def run(self, job_id: int) -> RunCard:
        """The job of that number, with what it kept.

        Raises:
            NotFound: there is none that this person can see.
        """
        job = self._session.scalar(select(JobTable).where(JobTable.id == job_id))
        if job is None or self._owner_id not in (None, job.owner_id):
            raise NotFound(f"There is no job {job_id} that you can see.")
        kept = {row.name: row.sha256 for row in list_artifacts(self._session, job_id)}
        return RunCard(job_id=job.id, kind=job.kind, status=job.status, spec=job.spec, artifacts=kept)
