"""Jobs: submit, list, show, cancel, retry."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g

from api import views
from api.asking import JobsQuery, SubmitQuery, read_query
from api.auth import require_person
from api.bodies import read_json
from api.cloning import CloneRequest, changed_spec
from api.conditional import is_conditional, is_unchanged, job_etag, not_modified
from api.idempotent import KEY, idempotency_key
from api.openapi import describe, header_parameter
from api.paging import cut_page, make_cursor, read_cursor
from api.replies import json_reply, list_reply
from api.routes import PREFIX
from api.shapes import job_shape
from api.transactions import reading
from api.visible import owner_filter, shown_job, visible_job, visible_stamp
from api.yard import the_yard
from ml.kinds import inspect
from records import jobs as life
from records.job_quotas import check_priority, check_queue
from records.lookup import YardLibrary
from records.queue import ring_schedule
from records.reading import list_jobs, read_attempts
from records.specs import Spec, parse_as, parse_spec
from records.states import JobStatus

jobs = APIBlueprint("jobs", __name__, url_prefix=PREFIX)
log = logging.getLogger("trainyard.jobs")

ETAG = header_parameter("If-None-Match", "The ETag of the state that one has: answered 304 while it holds.")


@jobs.post("/jobs")
@describe(
    jobs,
    reply=views.Job,
    status=202,
    query=SubmitQuery,
    body="Spec",
    errors=(400, 403, 404, 413, 415, 422),
    headers=[KEY],
)
def submit_job() -> Response:
    """Submit a job

    It is recorded and queued; a worker takes it up when a device is free.
    """
    origin = read_query(SubmitQuery).clone_of
    raw, body = read_json()
    if origin is not None:
        with the_yard().database.read() as session:
            visible_stamp(session, origin)
    return _submit(body, raw, origin)


@jobs.post("/jobs/<job:job_id>/clone")
@describe(jobs, reply=views.Job, status=202, body="CloneRequest", errors=(400, 404, 413, 415, 422), headers=[KEY])
def clone_job(job_id: int) -> Response:
    """Submit another job's spec with a few fields changed

    `{"changes": {"learning_rate": 0.01}}`; without changes it is the same once more.
    """
    with the_yard().database.read() as session:
        spec = visible_job(session, job_id)[1]["spec"]
    raw, body = read_json()
    changes = parse_as(CloneRequest, body).changes
    return _submit(changed_spec(spec, changes), f"clone {job_id} ".encode() + raw, job_id)


@jobs.get("/jobs")
@describe(jobs, reply=views.page_of(views.Job), query=JobsQuery)
def list_all_jobs() -> Response:
    """List jobs, the newest first"""
    query = read_query(JobsQuery)
    before = read_cursor("jobs", query.cursor, int)[0] if query.cursor else None
    with reading() as session:
        rows = list_jobs(
            session,
            owner_id=owner_filter(mine=query.mine),
            statuses=query.status,
            kind=query.kind,
            name=query.name,
            tags=query.tag,
            before=before,
            limit=query.limit + 1,
        )
        page, last = cut_page(rows, query.limit)
        attempts = read_attempts(session, [row.id for row in page])
    items = [job_shape(row, attempts[row.id]) for row in page]
    return list_reply(items, make_cursor("jobs", last.id) if last else None)


@jobs.get("/jobs/<job:job_id>")
@describe(jobs, reply=views.Job, errors=(404,), also={304: "The state has not changed."}, headers=[ETAG])
def show_job(job_id: int) -> Response:
    """Show a job

    The reply has an ETag; polling with If-None-Match is cheap.
    """
    with reading() as session:
        if is_conditional() and is_unchanged(etag := job_etag(visible_stamp(session, job_id))):
            return not_modified(etag)
        stamp, job = visible_job(session, job_id)
    return json_reply(job, headers={"ETag": job_etag(stamp)})


@jobs.post("/jobs/<job:job_id>/cancel")
@describe(jobs, reply=views.Job, errors=(404, 409, 413, 415), also={202: "It is running, and was asked to stop."})
def cancel_job(job_id: int) -> Response:
    """Cancel a job

    A waiting job is cancelled at once; a running one is asked to stop, which 202 says. Cancelling a cancelled job
    changes nothing.
    """
    yard, person = the_yard(), require_person()
    with yard.database.write() as session:
        visible_stamp(session, job_id)
        job = life.cancel(session, job_id, actor=f"user:{person.name}", at=yard.clock())
        stopping = job.status == JobStatus.RUNNING
    ring_schedule(yard.celery)
    with yard.database.read() as session:
        return json_reply(shown_job(session, job_id), 202 if stopping else 200)


@jobs.post("/jobs/<job:job_id>/retry")
@describe(jobs, reply=views.Job, status=202, errors=(404, 409, 413, 415))
def retry_job(job_id: int) -> Response:
    """Try a failed or cancelled job again

    It goes on from its last checkpoint.
    """
    yard, person = the_yard(), require_person()
    with yard.database.write() as session:
        visible_stamp(session, job_id)
        check_queue(session, person, yard.settings)
        job = life.lock_job(session, job_id)
        retries = int(job.spec["max_retries"])
        life.retry(session, job_id, actor=f"user:{person.name}", retries=retries, at=yard.clock())
    ring_schedule(yard.celery)
    with yard.database.read() as session:
        return json_reply(shown_job(session, job_id), 202, headers={"Location": f"{PREFIX}/jobs/{job_id}"})


def _submit(body: Any, raw: bytes, origin: int | None) -> Response:
    """Submit what a request asks for; `raw` is what must be the same where its key comes again."""
    yard = the_yard()
    key = idempotency_key()
    spec = parse_spec(body, test_kinds=yard.settings.test_kinds)
    job_id, is_new = _record(spec, raw, key, origin)
    if is_new:
        log.info("job.submitted job_id=%s kind=%s request_id=%s", job_id, spec.kind, g.get("request_id", ""))
        ring_schedule(yard.celery)
    headers = {"Location": f"{PREFIX}/jobs/{job_id}"}
    if not is_new:
        headers["Idempotent-Replayed"] = "true"
    with yard.database.read() as session:
        return json_reply(shown_job(session, job_id), 202, headers=headers)


def _record(spec: Spec, raw: bytes, key: str | None, origin: int | None) -> tuple[int, bool]:
    """The id of the job that this request makes or made, and whether it is new."""
    yard, person = the_yard(), require_person()
    check_priority(person, spec, yard.settings)
    with yard.database.read() as session:
        inspection = inspect(spec, YardLibrary(session, owner_filter(), person_id=person.id))
    estimate = inspection.cost.estimate.to_json() if inspection.cost else None
    with yard.database.write() as session:
        made = life.find_submitted(session, person.id, key, raw) if key else None
        if made is not None:
            return made, False
        check_queue(session, person, yard.settings)
        at = yard.clock()
        job = life.submit(
            session,
            spec.model_copy(update=dict(inspection.pins)),
            owner_id=person.id,
            actor=f"user:{person.name}",
            parameters=inspection.parameters,
            estimate=estimate,
            demand=_plain(inspection.needs),
            threads=spec.threads or yard.settings.job_threads or inspection.threads,
            datasets=inspection.datasets,
            pictures=inspection.pictures,
            cloned_from=origin,
            at=at,
        )
        if key:
            life.remember_key(session, person.id, key, raw, job.id, at=at)
        return job.id, True


def _plain(needs: Mapping[str, Mapping[str, int]] | None) -> dict[str, Any] | None:
    return None if needs is None else {kind: dict(parts) for kind, parts in needs.items()}
