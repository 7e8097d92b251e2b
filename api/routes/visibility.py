"""Who sees a thing: its owner alone, a team, or everybody here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import OwnerQuery, read_query
from api.auth import actor
from api.bodies import read_json
from api.dataset_bodies import OwnerQuery as SetOwnerQuery
from api.openapi import describe
from api.replies import json_reply
from api.routes import PREFIX
from api.trail import note
from api.visible import changeable_job, changeable_model, viewer
from api.visible_sets import changeable_set
from api.yard import the_yard
from records.specs import parse_as
from records.visibility import Showing, show_job, show_model, show_set

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

visibility = APIBlueprint("visibility", __name__, url_prefix=PREFIX)

_ERRORS = (400, 403, 404, 413, 415, 422)


@visibility.put("/jobs/<job:job_id>/visibility")
@describe(visibility, reply=views.Shown, body="Showing", errors=_ERRORS)
def show_job_to(job_id: int) -> Response:
    """Say who sees a job, with its run and all that it kept"""
    yard = the_yard()
    wanted = _read_wanted(lambda session: changeable_job(session, job_id))
    with yard.database.write() as session:
        changeable_job(session, job_id)
        show_job(session, job_id, wanted, viewer=viewer(), actor=actor(), at=yard.clock())
        note(session, "job.shown", f"job {job_id}", str(wanted))
    return _reply(wanted)


@visibility.put("/datasets/<name>/visibility")
@describe(visibility, reply=views.Shown, query=SetOwnerQuery, body="Showing", errors=_ERRORS)
def show_dataset_to(name: str) -> Response:
    """Say who sees a dataset with all its versions"""
    owner = read_query(SetOwnerQuery).owner
    wanted = _read_wanted(lambda session: changeable_set(session, name, owner))
    with the_yard().database.write() as session:
        found = changeable_set(session, name, owner)
        show_set(session, found.row.id, wanted, viewer=viewer())
        note(session, "dataset.shown", f"dataset {found.ref}", str(wanted))
    return _reply(wanted)


@visibility.put("/models/<name>/visibility")
@describe(visibility, reply=views.Shown, query=OwnerQuery, body="Showing", errors=_ERRORS)
def show_model_to(name: str) -> Response:
    """Say who sees a registered model with all its versions and their files"""
    owner = read_query(OwnerQuery).owner
    wanted = _read_wanted(lambda session: changeable_model(session, name, owner))
    with the_yard().database.write() as session:
        model, owner = changeable_model(session, name, owner)
        show_model(session, model, wanted, viewer=viewer())
        note(session, "model.shown", f"model {owner}/{name}", str(wanted))
    return _reply(wanted)


def _read_wanted(find: Callable[[Session], object]) -> Showing:
    """What the body asks for; who may not change the thing is told that first."""
    with the_yard().database.read() as session:
        find(session)
    return parse_as(Showing, read_json()[1])


def _reply(wanted: Showing) -> Response:
    return json_reply({"visibility": wanted.visibility, "team": wanted.team})
