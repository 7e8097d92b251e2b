"""What happened to a job, and what it printed."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, request

from api import views
from api.asking import EventsQuery, LogQuery, read_query
from api.openapi import describe
from api.paging import cut_page
from api.replies import list_reply
from api.routes import PREFIX
from api.shapes import event_shape, line_shape, time_shape
from api.transactions import reading
from api.visible import visible_stamp
from records.logs import read_log
from records.reading import read_events
from records.tables import LogLineTable

history = APIBlueprint("history", __name__, url_prefix=PREFIX)


@history.get("/jobs/<job:job_id>/events")
@describe(history, reply=views.page_of(views.JobEvent), query=EventsQuery, errors=(404,))
def list_events(job_id: int) -> Response:
    """List what happened to a job, the oldest first

    `next` is the `after` of the next page.
    """
    query = read_query(EventsQuery)
    with reading() as session:
        visible_stamp(session, job_id)
        rows = read_events(session, job_id, after=query.after, limit=query.limit + 1)
    page, last = cut_page(rows, query.limit)
    return list_reply([event_shape(row) for row in page], str(last.id) if last else None)


@history.get("/jobs/<job:job_id>/logs")
@describe(history, reply=views.page_of(views.LogLine), query=LogQuery, errors=(404,))
def list_log(job_id: int) -> Response:
    """List what a job printed and reported, the oldest first

    `next` is the `after` of the next page. With `Accept: text/plain` the lines come as plain text, and the header
    `X-Next-After` says where the next page begins.
    """
    query = read_query(LogQuery)
    with reading() as session:
        visible_stamp(session, job_id)
        rows = read_log(session, job_id, after=query.after, limit=query.limit + 1)
    page, last = cut_page(rows, query.limit)
    following = str(last.id) if last else None
    if request.accept_mimetypes.best_match(["application/json", "text/plain"]) == "text/plain":
        headers = {"X-Next-After": following} if following else None
        return Response("".join(map(_plain, page)), headers=headers, content_type="text/plain; charset=utf-8")
    return list_reply([line_shape(row) for row in page], following)


def _plain(row: LogLineTable) -> str:
    return f"{time_shape(row.at)} {row.level} {row.text}\n"
