"""Aliases of registered models, which move from version to version, one move at a time."""

from __future__ import annotations

import re

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import OwnerQuery, read_query
from api.auth import require_person
from api.bodies import read_json
from api.changing import move_expected
from api.model_shapes import alias_etag, alias_shape
from api.modelling import AliasTarget
from api.openapi import describe, header_parameter
from api.replies import json_reply, no_content
from api.routes import PREFIX
from api.trail import note
from api.transactions import reading
from api.visible import changeable_model, changeable_version, viewer
from api.yard import the_yard
from records import model_reading as shelf
from records import models as registry
from records.errors import InvalidRequest, shorten
from records.references import ALIAS
from records.specs import parse_as

aliases = APIBlueprint("aliases", __name__, url_prefix=PREFIX)

IF_MATCH = header_parameter("If-Match", "The ETag of the alias as one knows it; `*` for wherever it is.")
IF_NEW = header_parameter("If-None-Match", "`*` where there must be no such alias yet.")


@aliases.get("/models/<name>/aliases/<alias>")
@describe(aliases, reply=views.ModelAlias, query=OwnerQuery, errors=(404,))
def show_alias(name: str, alias: str) -> Response:
    """Show where an alias points; its ETag is for If-Match"""
    with reading() as session:
        model, _ = shelf.find_model(session, viewer(), name, read_query(OwnerQuery).owner)
        row = shelf.find_alias(session, model, alias)
    return json_reply(alias_shape(row), headers={"ETag": alias_etag(row.move_id)})


@aliases.put("/models/<name>/aliases/<alias>")
@describe(
    aliases,
    reply=views.ModelAlias,
    query=OwnerQuery,
    body="AliasTarget",
    errors=(403, 404, 412, 413, 415, 422, 428),
    headers=[IF_MATCH, IF_NEW],
)
def move_alias(name: str, alias: str) -> Response:
    """Let an alias point at a version

    One that points elsewhere is moved only with If-Match, so that nobody moves it past somebody else's move.
    """
    yard, person = the_yard(), require_person()
    if not re.fullmatch(ALIAS, alias):
        raise InvalidRequest(
            "Expected an alias that begins with a small letter and holds small letters, digits and _ . -, at most 63; "
            f"got {shorten(repr(alias))}."
        )
    with yard.database.read() as session:
        changeable_model(session, name, read_query(OwnerQuery).owner)
    wanted = parse_as(AliasTarget, read_json()[1])
    with yard.database.write() as session:
        found = changeable_version(session, name, wanted.version)
        version = found.version
        note(session, "alias.moved", f"model {found.owner}/{name}@{alias}", f"to version {version.number}")
        row = registry.move_alias(
            session, version, alias, expected=move_expected(), actor=f"user:{person.name}", at=yard.clock()
        )
        etag = alias_etag(row.move_id)
    return json_reply({"name": alias, "version": wanted.version, "etag": etag}, headers={"ETag": etag})


@aliases.delete("/models/<name>/aliases/<alias>")
@describe(aliases, reply=None, status=204, query=OwnerQuery, errors=(403, 404, 412, 428), headers=[IF_MATCH])
def delete_alias(name: str, alias: str) -> Response:
    """Delete an alias; the version stays"""
    yard, person = the_yard(), require_person()
    with yard.database.write() as session:
        model, owner = changeable_model(session, name, read_query(OwnerQuery).owner)
        note(session, "alias.deleted", f"model {owner}/{name}@{alias}")
        registry.delete_alias(
            session, model, alias, expected=move_expected(), actor=f"user:{person.name}", at=yard.clock()
        )
    return no_content()
