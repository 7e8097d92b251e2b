"""The queue, in the order in which jobs are placed."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import QueueQuery, read_query
from api.auth import require_admin
from api.openapi import describe
from api.paging import cut_page, finite, make_cursor, no_cursor, read_cursor
from api.replies import json_reply, list_reply
from api.routes import PREFIX
from api.shapes import past_shape, waiting_shape
from api.sooner import find_changes
from api.transactions import reading
from api.visible import owner_filter, visible_stamp
from api.yard import the_yard
from records.past import list_past
from records.promises import list_outcomes
from records.reading import AnyRow, list_queue, read_job

HIGHEST_PRIORITY = 100
"""Of `records.specs.base.BaseSpec`; cursors count down from it, as they hold no negative numbers."""

queue = APIBlueprint("queue", __name__, url_prefix=PREFIX)


@queue.get("/queue")
@describe(queue, reply=views.page_of(views.Waiting), query=QueueQuery)
def show_queue() -> Response:
    """List the waiting jobs that one may see, with their place among all"""
    query = read_query(QueueQuery)
    after = _after(query.cursor) if query.cursor else None
    with reading() as session:
        rows = list_queue(session, owner_id=owner_filter(), after=after, limit=query.limit + 1)
    page, last = cut_page(rows, query.limit)
    return list_reply([waiting_shape(row) for row in page], _cursor(last) if last else None)


@queue.get("/jobs/<job:job_id>/sooner")
@describe(queue, reply=views.page_of(views.Sooner), errors=(404,))
def show_sooner(job_id: int) -> Response:
    """List what would start a waiting job sooner, the soonest first

    Each change of the spec is tried on the scheduler as it stands. Empty for a job that does not wait, and where
    nothing that can be changed would help.
    """
    yard = the_yard()
    with reading() as session:
        visible_stamp(session, job_id)
        row = read_job(session, job_id)
        assert row is not None
        return list_reply(find_changes(session, row, yard.settings, at=yard.clock()))


@queue.get("/queue/promises")
@describe(queue, reply=views.PromisesKept)
def show_promises() -> Response:
    """Count how many of the newest promised starts came true, of all people's jobs"""
    with reading() as session:
        outcomes = list_outcomes(session)
    return json_reply({"count": len(outcomes), "kept": sum(outcome.kept for outcome in outcomes)})


@queue.get("/queue/history")
@describe(queue, reply=views.page_of(views.PastJob), query=QueueQuery, errors=(403,))
def show_history() -> Response:
    """List jobs that have run to their end, the newest first, for administrators: what a replay plays"""
    require_admin()
    query = read_query(QueueQuery)
    before = read_cursor("history", query.cursor, int)[0] if query.cursor else None
    with reading() as session:
        rows = list_past(session, before=before, limit=query.limit + 1)
    page, last = cut_page(rows, query.limit)
    return list_reply([past_shape(row) for row in page], make_cursor("history", last.job_id) if last else None)


def _cursor(row: AnyRow) -> str:
    return make_cursor("queue", HIGHEST_PRIORITY - row.priority, repr(row.rank), row.id)


def _after(cursor: str) -> tuple[int, float, int]:
    below, rank, job_id = read_cursor("queue", cursor, int, str, int)
    try:
        return HIGHEST_PRIORITY - below, finite(float(rank)), job_id
    except ValueError:
        raise no_cursor() from None
