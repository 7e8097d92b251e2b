"""The audit trail, for administrators."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import read_query
from api.auth import require_admin
from api.openapi import describe
from api.paging import cut_page, make_cursor, read_cursor
from api.people_bodies import AuditQuery
from api.people_shapes import line_of_audit_shape
from api.replies import list_reply
from api.routes import PREFIX
from api.transactions import reading
from records.audit import list_lines

audit = APIBlueprint("audit", __name__, url_prefix=PREFIX)


@audit.get("/audit")
@describe(audit, reply=views.page_of(views.AuditLine), query=AuditQuery, errors=(403,))
def show_audit() -> Response:
    """List who did what, when, on what and from where, the newest first, for administrators"""
    require_admin()
    query = read_query(AuditQuery)
    before = read_cursor("audit", query.cursor, int)[0] if query.cursor else None
    with reading() as session:
        rows = list_lines(session, actor=query.actor, act=query.act, before=before, limit=query.limit + 1)
    page, last = cut_page(rows, query.limit)
    return list_reply([line_of_audit_shape(row) for row in page], make_cursor("audit", last.id) if last else None)
