"""What each page shows. Nothing here writes, and nothing is shown to whom it does not belong."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from api.comparing import compare
from api.model_shapes import alias_etag
from api.pages.bars import DrawnDevice
from api.pages.words import flat, scores, spec_rows
from api.shapes import accuracy_shape, job_shape
from ml.estimates import FORM
from ml.kinds import KINDS
from ml.networks import NETWORKS, make_network
from records import model_reading as shelf
from records import reading
from records.access import seen_jobs, sees, viewer_of
from records.accounts import Person
from records.artifacts import CHECKPOINT, list_artifacts
from records.database import Database
from records.errors import NotFound
from records.estimates import list_measured
from records.lookup import YardLibrary
from records.model_reading import VersionRow
from records.promises import list_outcomes
from records.references import Reference
from records.runs import read_facts
from records.specs.earlier import RECORD, weights_name
from records.states import JobStatus
from records.teams import name_of_team

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

PAGE_SIZE = 50
_MOST_EVENTS = 200
_MOST_MODELS = 500
_MOST_VERSIONS = 50
_DRAWN = frozenset({"confusion-matrix.png"})
"""Pictures of what the page draws itself."""
_HUNG = frozenset({"given", "progress", "painting"})
"""Kinds of pictures that the page of a style transfer shows in a place of their own."""


def jobs_page(database: Database, person: Person, *, status: str, tag: str, before: int | None) -> dict[str, Any]:
    """The list of jobs, the newest first, and how many stand at each status."""
    viewer = viewer_of(person)
    statuses = [status] if status else []
    with database.read() as session:
        found = reading.list_jobs(
            session,
            viewer=viewer,
            statuses=statuses,
            tags=[tag] if tag else [],
            before=before,
            limit=PAGE_SIZE + 1,
        )
        counts = reading.count_jobs(session, viewer=viewer)
    older = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    shown = {"jobs": found[:PAGE_SIZE], "older": older, "before": before, "status": status, "tag": tag}
    return shown | {"counts": counts}


def job_page(database: Database, person: Person, job_id: int) -> dict[str, Any]:
    """All that one job's page shows, but for curves and log, which its script asks for.

    Raises:
        NotFound: there is no such job that this person may see.
    """
    with database.read() as session:
        job = _visible(session, person, job_id)
        artifacts = list_artifacts(session, job_id)
        attempts = reading.read_attempts(session, [job_id])[job_id]
        events = reading.read_last_events(session, job_id, limit=_MOST_EVENTS)
        facts = read_facts(session, job_id)
        predicts = _predicts(session, job, {file.name for file in artifacts})
        names = shelf.names_of_job(session, viewer_of(person), job_id)
    kept = {file.name for file in artifacts}
    hung = {file.name: file.sha256 for file in artifacts if file.kind in _HUNG}
    return {
        "job": job,
        "predicts": predicts,
        "names": names,
        "can_register": job.status == JobStatus.SUCCEEDED and any(file.kind == "model" for file in artifacts),
        "can_export": job.status == JobStatus.SUCCEEDED and KINDS[job.kind].trains_classifier and RECORD in kept,
        "models": [file.name for file in artifacts if file.kind == "model"],
        "scores": scores(job.summary or {}),
        "attempts": attempts,
        "events": events,
        "artifacts": sorted(artifacts, key=lambda file: (file.kind == CHECKPOINT, file.name)),
        "pictures": [
            file
            for file in artifacts
            if file.media_type.startswith("image/") and file.name not in _DRAWN and file.name not in hung
        ],
        "hung": hung,
        "spec": list(spec_rows(job.spec)),
        "facts": list(flat(facts)) if facts else [],
    }


def spec_of(database: Database, person: Person, job_id: int) -> dict[str, Any]:
    """The spec of a job, to begin another with.

    Raises:
        NotFound: there is no such job that this person may see.
    """
    with database.read() as session:
        spec: dict[str, Any] = _visible(session, person, job_id).spec
    return spec


def compare_page(database: Database, person: Person, ids: Sequence[int]) -> dict[str, Any]:
    """Jobs side by side.

    Raises:
        NotFound: one of them is none that this person may see.
    """
    with database.read() as session:
        rows = [_visible(session, person, job_id) for job_id in ids]
        attempts = reading.read_attempts(session, ids)
    return {"ids": ids, **compare([job_shape(row, attempts[row.id]) for row in rows])}


def models_page(database: Database, person: Person) -> dict[str, Any]:
    """The registered models that this person may see."""
    with database.read() as session:
        return {"models": shelf.list_models(session, viewer=viewer_of(person), after=None, limit=_MOST_MODELS)}


def model_page(database: Database, person: Person, name: str, owner: str | None) -> dict[str, Any]:
    """A registered model with its versions, aliases, their moves, and exports.

    Raises:
        NotFound: there is none that this person may see.
    """
    viewer = viewer_of(person)
    with database.read() as session:
        model, owner = shelf.find_model(session, viewer, name, owner)
        versions = shelf.list_versions(session, model.id)
        files = shelf.list_files(session, [version.id for version in versions])
        exports = {
            version.id: shelf.list_exports(session, viewer, VersionRow(version, model, owner))
            for version in versions[:_MOST_VERSIONS]
        }
        aliases, moves = shelf.list_aliases(session, model.id), shelf.list_moves(session, model.id)
        team = name_of_team(session, model.team_id)
    rows = [
        {
            "version": version,
            "ref": str(Reference(name, owner, number=version.number)),
            "aliases": [alias for alias in aliases if alias.number == version.number],
            "files": files[version.id],
            "exports": exports[version.id],
            "scores": scores(version.metrics),
        }
        for version in versions[:_MOST_VERSIONS]
    ]
    etags = {alias.name: alias_etag(alias.move_id) for alias in aliases}
    shown = {"model": model, "owner": owner, "team": team, "rows": rows, "aliases": aliases}
    return {**shown, "etags": etags, "moves": moves}


def devices_page(database: Database, person: Person) -> dict[str, Any]:
    """Every device with what holds it, the waiting jobs in their order, and how promises came out."""
    viewer = viewer_of(person)
    with database.read() as session:
        rows = reading.show_devices(session)
        queue = reading.list_queue(session, viewer=viewer)
        seen = seen_jobs(session, viewer, [lease.job_id for row in rows for lease in row.leases])
        outcomes = list_outcomes(session)
    return {
        "devices": [DrawnDevice(row) for row in rows],
        "seen": seen,
        "queue": queue,
        "promises": len(outcomes),
        "kept": sum(outcome.kept for outcome in outcomes),
    }


def networks_page() -> dict[str, Any]:
    """The named networks with what they cost for the images of their papers."""
    return {"networks": [_network(name) for name in NETWORKS]}


def estimates_page(database: Database, person: Person) -> dict[str, Any]:
    """What attempts measured beside what was estimated, the newest first, and how far that was off."""
    with database.read() as session:
        return accuracy_shape(list_measured(session, form=FORM, viewer=viewer_of(person)))


def _predicts(session: Session, job: Any, kept: Collection[str]) -> dict[str, bool] | None:
    """For a job with a model that can be asked, or may yet: does it take grey images, tell pixels? Else None."""
    if not KINDS[job.kind].can_be_asked or (job.finished_at and not {RECORD, weights_name("best")} <= set(kept)):
        return None
    try:
        channels = YardLibrary(session).dataset(job.spec["dataset"]).channels
    except NotFound:
        channels = 3
    return {"grey": channels == 1, "pixels": KINDS[job.kind].trains_segmenter}


def _visible(session: Session, person: Person, job_id: int) -> Any:
    job = reading.read_job(session, job_id)
    if job is None or not sees(session, viewer_of(person), reading.stamp_of(job)):
        raise NotFound(f"There is no job {job_id}.")
    return job


@cache
def _network(name: str) -> dict[str, Any]:
    named = NETWORKS[name]
    made = make_network(name, named.input_shape, named.classes, {})
    return {
        "name": name,
        "title": named.title,
        "paper": named.paper,
        "input_shape": named.input_shape,
        "classes": named.classes,
        "parameters": made.main.parameters,
        "multiply_adds": made.main.multiply_adds,
    }
