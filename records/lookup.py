"""The library of this yard: what `records.library` promises, read from the database."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.artifacts import kept_digests
from records.catalogue import CATALOGUE
from records.errors import NotFound
from records.image_sets import FoundSet, Viewer, find_set, parse_reference
from records.image_sets import find_version as find_set_version
from records.library import DatasetCard, ModelCard, PictureCard, RunCard, card_of
from records.model_reading import Asker, find_version
from records.pictures import find_picture
from records.references import parse_reference as parse_model
from records.set_tables import SetVersionTable
from records.states import VersionStatus
from records.tables import JobTable


class YardLibrary:
    """What a person can refer to.

    Args:
        session: for reading; asked only when something is looked up.
        owner_id: the person who may see only their own; None sees everything.
        person_id: whose datasets and registered models a name without an owner means; left out, `owner_id`'s.
    """

    def __init__(self, session: Session, owner_id: int | None = None, *, person_id: int | None = None) -> None:
        self._session = session
        self._owner_id = owner_id
        self._viewer = Viewer(owner_id if person_id is None else person_id, sees_all=owner_id is None)
        self._asker = Asker(self._viewer.person_id, sees_all=self._viewer.sees_all)

    def dataset(self, ref: str) -> DatasetCard:
        """The dataset of that name: of the catalogue, or a ready version of somebody's own.

        Raises:
            NotFound: there is none that this person can see.
        """
        if ref in CATALOGUE:
            return card_of(CATALOGUE[ref])
        named = parse_reference(ref)
        found = find_set(self._session, named.name, self._viewer, owner=named.owner)
        return _card(found, find_set_version(self._session, found, named.number))

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
        found = find_version(self._session, self._asker, parse_model(ref))
        job = self._session.get_one(JobTable, found.version.job_id)
        return ModelCard(f"{found.owner}/{found.model.name}@{found.version.number}", self._card(job))

    def picture(self, picture_id: int) -> PictureCard:
        """The uploaded picture of that number.

        Raises:
            NotFound: there is none that this person can see.
        """
        row = find_picture(self._session, picture_id, self._owner_id)
        return PictureCard(row.id, width=row.width, height=row.height)

    def _card(self, job: JobTable) -> RunCard:
        kept = kept_digests(self._session, job.id)
        return RunCard(job_id=job.id, kind=job.kind, status=job.status, spec=job.spec, artifacts=kept)


def _card(found: FoundSet, version: SetVersionTable) -> DatasetCard:
    """The card of a version of somebody's own dataset."""
    ref = f"{found.ref}@{version.number}"
    if version.status != VersionStatus.READY or version.sha256 is None:
        why = f" {version.reason_text}" if version.reason_text else ""
        raise NotFound(f"{ref} is {version.status}; jobs can use a version once it is ready.{why}")
    return DatasetCard(
        ref=ref,
        classes=tuple(version.classes),
        counts=version.counts,
        channels=version.channels,
        image_shape=None,
        sha256=version.sha256,
        task="segmentation" if version.task == "segmentation" else "classification",
    )
