"""What each page shows. Nothing here writes, and nothing is shown to whom it does not belong."""

from __future__ import annotations

from functools import cache
from typing import Any

from api.pages.bars import DrawnDevice
from api.pages.words import flat, scores, spec_rows
from api.sooner import find_changes
from ml.networks import NETWORKS, make_network
from records import reading
from records.accounts import Person
from records.artifacts import CHECKPOINT, list_artifacts
from records.catalogue import CATALOGUE
from records.clock import utc_now
from records.database import Database
from records.datasets import fetched_datasets
from records.errors import NotFound
from records.promises import list_outcomes
from records.runs import read_facts
from records.settings import Settings

PAGE_SIZE = 50
_MOST_EVENTS = 200
_DRAWN = frozenset({"confusion-matrix.png"})
"""Pictures of what the page draws itself."""


def jobs_page(database: Database, person: Person, *, status: str, before: int | None) -> dict[str, Any]:
    """The list of jobs, the newest first, and how many stand at each status."""
    owner_id = None if person.is_admin else person.id
    statuses = [status] if status else []
    with database.read() as session:
        found = reading.list_jobs(session, owner_id=owner_id, statuses=statuses, before=before, limit=PAGE_SIZE + 1)
        counts = reading.count_jobs(session, owner_id=owner_id)
    older = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    return {"jobs": found[:PAGE_SIZE], "older": older, "before": before, "status": status, "counts": counts}


def job_page(database: Database, person: Person, job_id: int, settings: Settings) -> dict[str, Any]:
    """All that one job's page shows, but for curves and log, which its script asks for.

    Raises:
        NotFound: there is no such job that this person may see.
    """
    with database.read() as session:
        job = _visible(reading.read_job(session, job_id), person, job_id)
        artifacts = list_artifacts(session, job_id)
        attempts = reading.read_attempts(session, [job_id])[job_id]
        events = reading.read_last_events(session, job_id, limit=_MOST_EVENTS)
        facts = read_facts(session, job_id)
        sooner = find_changes(session, job, settings, at=utc_now()) if job.place is not None else []
    return {
        "sooner": sooner,
        "job": job,
        "scores": scores(job.summary or {}),
        "attempts": attempts,
        "events": events,
        "artifacts": sorted(artifacts, key=lambda file: (file.kind == CHECKPOINT, file.name)),
        "pictures": [file for file in artifacts if file.media_type.startswith("image/") and file.name not in _DRAWN],
        "spec": list(spec_rows(job.spec)),
        "facts": list(flat(facts)) if facts else [],
    }


def spec_of(database: Database, person: Person, job_id: int) -> dict[str, Any]:
    """The spec of a job, to begin another with.

    Raises:
        NotFound: there is no such job that this person may see.
    """
    with database.read() as session:
        spec: dict[str, Any] = _visible(reading.read_job(session, job_id), person, job_id).spec
    return spec


def devices_page(database: Database, person: Person) -> dict[str, Any]:
    """Every device with what holds it, the waiting jobs in their order, and how promises came out."""
    owner_id = None if person.is_admin else person.id
    with database.read() as session:
        rows = reading.show_devices(session)
        queue = reading.list_queue(session, owner_id=owner_id)
        outcomes = list_outcomes(session)
    return {
        "devices": [DrawnDevice(row) for row in rows],
        "queue": queue,
        "promises": len(outcomes),
        "kept": sum(outcome.kept for outcome in outcomes),
    }


def datasets_page(database: Database) -> dict[str, Any]:
    """The catalogue, each with what this yard has fetched of it."""
    with database.read() as session:
        fetched = fetched_datasets(session)
    return {"datasets": [(dataset, fetched.get(name)) for name, dataset in CATALOGUE.items()]}


def networks_page() -> dict[str, Any]:
    """The named networks with what they cost for the images of their papers."""
    return {"networks": [_network(name) for name in NETWORKS]}


def _visible(job: Any, person: Person, job_id: int) -> Any:
    if job is None or not (person.is_admin or job.owner_id == person.id):
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
