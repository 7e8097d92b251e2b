"""Tokens: one's own, and for administrators everybody's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import read_query
from api.auth import require_person
from api.bodies import read_json
from api.openapi import describe
from api.people_bodies import NewToken, TokensQuery
from api.people_shapes import token_shape
from api.replies import json_reply, list_reply, no_content
from api.routes import PREFIX
from api.trail import note
from api.transactions import reading
from api.yard import the_yard
from records import tokens as life
from records.accounts import add_token
from records.errors import NotFound, shorten
from records.people import find_person
from records.specs import parse_as

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

tokens = APIBlueprint("tokens", __name__, url_prefix=PREFIX)


@tokens.get("/tokens")
@describe(tokens, reply=views.page_of(views.Token), query=TokensQuery, errors=(404,))
def list_tokens() -> Response:
    """List one's own tokens, the newest first, also those that ended"""
    at = the_yard().clock()
    with reading() as session:
        rows = life.list_tokens(session, _whose(session)[0])
    return list_reply([token_shape(row, at=at) for row in rows])


@tokens.post("/tokens")
@describe(tokens, reply=views.MadeToken, status=201, body="NewToken", errors=(400, 413, 415, 422), scope="full")
def make_token() -> Response:
    """Make a token for oneself

    The secret is in the reply, and can never be read again.
    """
    yard, person = the_yard(), require_person()
    asked, at = parse_as(NewToken, read_json()[1]), yard.clock()
    expires_at = None if asked.expires_in_days is None else at + timedelta(days=asked.expires_in_days)
    with yard.database.write() as session:
        row, token = add_token(session, person.id, asked.name, scope=asked.scope, expires_at=expires_at, at=at)
        note(session, "token.made", f"token {row.id}", f"{row.name}, scope {row.scope}")
        shown = token_shape(row, at=at)
    return json_reply({**shown, "token": token}, 201, headers={"Cache-Control": "no-store"})


@tokens.delete("/tokens/<number:token_id>")
@describe(tokens, reply=None, status=204, query=TokensQuery, errors=(404,), scope="full")
def revoke_token(token_id: int) -> Response:
    """Take a token back

    It stands for nobody from now on, and the sessions that began with it have ended.
    """
    yard = the_yard()
    with yard.database.write() as session:
        person_id, name = _whose(session)
        row = life.revoke_token(session, person_id, token_id, at=yard.clock())
        note(session, "token.revoked", f"token {row.id}", f"{row.name}, of user {name}")
    return no_content()


def _whose(session: Session) -> tuple[int, str]:
    """Id and name of the person whose tokens are meant.

    Raises:
        NotFound: there is nobody of that name whose tokens the present person may see.
    """
    person, owner = require_person(), read_query(TokensQuery).owner
    if owner is None or owner == person.name:
        return person.id, person.name
    if not person.is_admin:
        raise NotFound(f"Nobody called {shorten(repr(owner))} has tokens that you can see.")
    return find_person(session, owner).id, owner
