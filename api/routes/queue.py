"""The queue, in the order in which jobs are placed."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import QueueQuery, read_query
from api.openapi import describe
from api.paging import cut_page, make_cursor, read_cursor
from api.replies import list_reply
from api.routes import PREFIX
from api.shapes import waiting_shape
from api.transactions import reading
from api.visible import viewer
from records.reading import AnyRow, list_queue

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
        rows = list_queue(session, viewer=viewer(), after=after, limit=query.limit + 1)
    page, last = cut_page(rows, query.limit)
    return list_reply([waiting_shape(row) for row in page], _cursor(last) if last else None)


def _cursor(row: AnyRow) -> str:
    return make_cursor("queue", HIGHEST_PRIORITY - row.priority, row.id)


def _after(cursor: str) -> tuple[int, int]:
    below, job_id = read_cursor("queue", cursor, int, int)
    return HIGHEST_PRIORITY - below, job_id
