"""Registered models: names and numbered versions. Others' are as good as absent; administrators see all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import ModelsQuery, OwnerQuery, read_query
from api.auth import require_person
from api.bodies import read_json
from api.files import ETAG, FILE_NAME, PARTS, RANGE, send_kept
from api.model_shapes import alias_shape, model_shape, moves_shape, version_shape
from api.modelling import NewModel, NewModelVersion
from api.openapi import describe
from api.paging import cut_page, make_cursor, read_cursor
from api.replies import json_reply, list_reply, no_content
from api.routes import PREFIX
from api.trail import note
from api.transactions import reading
from api.visible import (
    changeable_model,
    changeable_version,
    only_mine,
    viewer,
    visible_stamp,
    visible_version,
)
from api.yard import the_yard
from records import model_reading as shelf
from records import models as registry
from records.dropped import drop
from records.errors import InvalidRequest, NotFound, shorten
from records.jobs import lock_job
from records.model_reading import VersionRow
from records.references import MODEL_NAME, Reference, parse_reference
from records.specs import parse_as
from records.teams import name_of_team

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

models = APIBlueprint("models", __name__, url_prefix=PREFIX)


@models.get("/models")
@describe(models, reply=views.page_of(views.RegisteredModel), query=ModelsQuery)
def list_models() -> Response:
    """List registered models by name"""
    query = read_query(ModelsQuery)
    after = read_cursor("models", query.cursor, str, int) if query.cursor else None
    with reading() as session:
        rows = shelf.list_models(
            session,
            viewer=viewer(),
            owner_id=only_mine(query.mine),
            after=(after[0], after[1]) if after else None,
            limit=query.limit + 1,
        )
    page, last = cut_page(rows, query.limit)
    cursor = make_cursor("models", last.model.name, last.model.id) if last else None
    return list_reply([model_shape(row) for row in page], cursor)


@models.post("/models")
@describe(models, reply=views.ModelVersion, status=201, body="NewModel", errors=(400, 404, 409, 413, 415, 422))
def make_model() -> Response:
    """Register a run's result under a new name

    A name that is there already is refused; `POST /models/NAME/versions` adds to it.
    """
    asked = parse_as(NewModel, read_json()[1])
    return _register(asked.name, asked, only_new=True)


@models.post("/models/<name>/versions")
@describe(models, reply=views.ModelVersion, status=201, body="NewModelVersion", errors=(400, 404, 409, 413, 415, 422))
def add_version(name: str) -> Response:
    """Register a run's result under the next number of a name

    The name is made where there is none yet.
    """
    if not re.fullmatch(MODEL_NAME, name):
        raise InvalidRequest(
            f"Expected a name of at most 63 small letters, digits and _ . -, such as digits; got {shorten(repr(name))}."
        )
    return _register(name, parse_as(NewModelVersion, read_json()[1]), only_new=False)


@models.get("/models/<name>")
@describe(models, reply=views.FullModel, query=OwnerQuery, errors=(404,))
def show_model(name: str) -> Response:
    """Show a registered model with its versions, aliases and their moves"""
    owner = read_query(OwnerQuery).owner
    with reading() as session:
        model, owner = shelf.find_model(session, viewer(), name, owner)
        rows = shelf.list_versions(session, model.id)
        files = shelf.list_files(session, [row.id for row in rows])
        aliases = shelf.list_aliases(session, model.id)
        moves = shelf.list_moves(session, model.id)
        team = name_of_team(session, model.team_id)
    shown = {
        "name": model.name,
        "owner": owner,
        "visibility": model.visibility,
        "team": team,
        "versions": [version_shape(VersionRow(row, model, owner), files[row.id], aliases) for row in rows],
        "aliases": [alias_shape(alias) for alias in aliases],
        "moves": moves_shape(moves),
        "created_at": model.created_at.isoformat(),
    }
    return json_reply(shown)


@models.delete("/models/<name>")
@describe(models, reply=None, status=204, query=OwnerQuery, errors=(403, 404, 409))
def delete_model(name: str) -> Response:
    """Delete a registered model with all its versions

    Refused while it has aliases.
    """
    yard = the_yard()
    with yard.database.write() as session:
        model, owner = changeable_model(session, name, read_query(OwnerQuery).owner)
        note(session, "model.deleted", f"model {owner}/{name}")
        drop(session, registry.delete_model(session, model), at=yard.clock())
    return no_content()


@models.get("/models/<name>/versions/<number:number>")
@describe(models, reply=views.ModelVersion, query=OwnerQuery, errors=(404,))
def show_version(name: str, number: int) -> Response:
    """Show a version of a registered model"""
    with reading() as session:
        return json_reply(_version_shape(session, visible_version(session, name, number)))


@models.delete("/models/<name>/versions/<number:number>")
@describe(models, reply=None, status=204, query=OwnerQuery, errors=(403, 404, 409))
def delete_version(name: str, number: int) -> Response:
    """Delete a version

    Refused while an alias points at it; its number is not given again.
    """
    yard = the_yard()
    with yard.database.write() as session:
        found = changeable_version(session, name, number)
        freed = registry.delete_version(session, found.version)
        note(session, "model.version_deleted", f"model {found.owner}/{name}@{number}")
        drop(session, freed, at=yard.clock())
    return no_content()


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────


@models.get("/models/<name>/versions/<number:number>/files/<path:file>")
@describe(
    models, reply="application/octet-stream", query=OwnerQuery, errors=(404, 416), also=PARTS, headers=[RANGE, ETAG]
)
def download_file(name: str, number: int, file: str) -> Response:
    """Download a file of a version"""
    with reading() as session:
        return _send(session, visible_version(session, name, number), file)


@models.get("/models/<ref>/download")
@describe(
    models, reply="application/octet-stream", query=OwnerQuery, errors=(404, 416), also=PARTS, headers=[RANGE, ETAG]
)
def download_model(ref: str) -> Response:
    """Download what a version stands for

    By `NAME@ALIAS`, `NAME@NUMBER`, or `NAME` for the newest version.
    """
    asked = parse_reference(ref)
    owner = read_query(OwnerQuery).owner
    with reading() as session:
        wanted = Reference(asked.name, owner, asked.alias, asked.number)
        found = shelf.find_version(session, viewer(), wanted)
        return _send(session, found, found.version.artifact)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────


def _register(name: str, asked: NewModelVersion, *, only_new: bool) -> Response:
    yard, person = the_yard(), require_person()
    with yard.database.write() as session:
        visible_stamp(session, asked.job)
        job = lock_job(session, asked.job)
        version = registry.register(
            session,
            person.id,
            name,
            job,
            artifact=asked.artifact,
            note=asked.note,
            actor=f"user:{person.name}",
            at=yard.clock(),
            only_new=only_new,
        )
        note(session, "model.registered", f"model {person.name}/{name}@{version.number}", f"job {asked.job}")
        shown = _version_shape(session, visible_version(session, name, version.number))
    where = f"{PREFIX}/models/{name}/versions/{shown['number']}"
    return json_reply(shown, 201, headers={"Location": where})


def _version_shape(session: Session, row: VersionRow) -> dict[str, Any]:
    files = shelf.list_files(session, [row.version.id])[row.version.id]
    return version_shape(row, files, shelf.list_aliases(session, row.model.id))


def _send(session: Session, row: VersionRow, name: str) -> Response:
    if not FILE_NAME.fullmatch(name):
        raise NotFound(f"No file is called {shorten(repr(name))}: names hold neither slashes nor `..`.")
    file = shelf.find_file(session, row.version, name)
    return send_kept(the_yard().blobs, file, modified_at=row.version.created_at)
