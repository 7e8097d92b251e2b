"""The library of this yard: what `records.library` promises, read from the database."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.artifacts import kept_digests
from records.catalogue import find_dataset
from records.errors import NotFound
from records.library import DatasetCard, ModelCard, RunCard, card_of
from records.model_reading import Asker, find_version
from records.references import parse_reference
from records.tables import JobTable


class YardLibrary:
    """What a person can refer to.

    Args:
        session: for reading; asked only when something is looked up.
        owner_id: the person who may see only their own; None sees everything.
        asker_id: the person who asks, where they may see everything: whose registered models are meant when a
            reference names no owner.
    """

    def __init__(self, session: Session, owner_id: int | None = None, *, asker_id: int | None = None) -> None:
        self._session = session
        self._owner_id = owner_id
        self._asker = Asker(asker_id if owner_id is None else owner_id, sees_all=owner_id is None)

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
        return self._card(job)

    def model(self, ref: str) -> ModelCard:
        """The version that `[owner/]name[@alias|@number]` names, the newest without `@`.

        Raises:
            InvalidRequest: the text is no such reference.
            NotFound: there is none that this person can see.
        """
        found = find_version(self._session, self._asker, parse_reference(ref))
        job = self._session.get_one(JobTable, found.version.job_id)
        return ModelCard(f"{found.owner}/{found.model.name}@{found.version.number}", self._card(job))

    def _card(self, job: JobTable) -> RunCard:
        kept = kept_digests(self._session, job.id)
        return RunCard(job_id=job.id, kind=job.kind, status=job.status, spec=job.spec, artifacts=kept)
