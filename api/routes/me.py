"""Who one is to this yard, and one's password."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.auth import check_password, require_person, session_secret
from api.bodies import read_json
from api.openapi import describe
from api.people_bodies import NewPassword
from api.replies import json_reply, no_content
from api.routes import PREFIX
from api.trail import note
from api.transactions import reading
from api.yard import the_yard
from records.errors import FieldProblem, InvalidSpec, Unauthorized
from records.passwords import make_hash
from records.people import find_person, set_password, teams_of
from records.specs import parse_as

me = APIBlueprint("me", __name__, url_prefix=PREFIX)


@me.get("/me")
@describe(me, reply=views.Me)
def show_me() -> Response:
    """Show who the token stands for"""
    person = require_person()
    with reading() as session:
        has_password = find_person(session, person.name).password_hash is not None
        teams = teams_of(session, [person.id])[person.id]
    about = {"id": person.id, "name": person.name, "role": person.role, "scope": person.scope}
    return json_reply({**about, "has_password": has_password, "teams": teams})


@me.put("/me/password")
@describe(me, reply=None, status=204, body="NewPassword", errors=(400, 413, 415, 422), scope="full")
def change_password() -> Response:
    """Give oneself a password, or another one

    It needs the one that one has. All other sessions of one's own end; tokens stay.
    """
    yard, person = the_yard(), require_person()
    asked = parse_as(NewPassword, read_json()[1])
    _check_current(person.name, asked.current)
    password_hash = make_hash(asked.new)
    with yard.database.write() as session:
        row = find_person(session, person.name, lock=True)
        set_password(session, row, password_hash, but=session_secret())
        note(session, "password.changed", f"user {person.name}")
    return no_content()


def _check_current(name: str, current: str | None) -> None:
    """Whether somebody has given the password that they have.

    Raises:
        InvalidSpec: they have not.
        TooManyLogins: they have tried too often lately.
    """
    with the_yard().database.read() as session:
        has_one = find_person(session, name).password_hash is not None
    if not has_one:
        return
    if current is None:
        raise InvalidSpec([FieldProblem("current", "Expected the password that you have.")])
    try:
        check_password(name, current)
    except Unauthorized as error:
        raise InvalidSpec([FieldProblem("current", "This is not your password.")]) from error
