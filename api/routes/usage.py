"""What people have used of the devices, and what they may use."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import UsageQuery, read_query
from api.auth import require_person
from api.openapi import describe
from api.replies import list_reply
from api.routes import PREFIX
from api.shapes import use_shape
from api.transactions import reading
from api.visible import only_senders
from api.yard import the_yard
from records.job_quotas import standings
from records.usage_days import daily_use

usage = APIBlueprint("usage", __name__, url_prefix=PREFIX)


@usage.get("/usage")
@describe(usage, reply=views.page_of(views.PersonUse), query=UsageQuery)
def show_usage() -> Response:
    """List what people have used of the devices day by day, the most first; members see their own use"""
    query = read_query(UsageQuery)
    with reading() as session:
        rows = daily_use(session, at=the_yard().clock(), days=query.days, owner_id=only_senders())
    return list_reply([use_shape(row) for row in rows])


@usage.get("/quotas")
@describe(usage, reply=views.page_of(views.Quota))
def show_quotas() -> Response:
    """List one's own limits, and how much of each is used"""
    yard, person = the_yard(), require_person()
    with reading() as session:
        rows = standings(session, person, yard.settings, at=yard.clock())
    return list_reply([row._asdict() for row in rows])
