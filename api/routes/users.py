"""Accounts, for administrators: adding people, roles, letting in and out, new invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import read_query
from api.auth import require_admin
from api.bodies import read_json
from api.openapi import describe
from api.paging import cut_page, make_cursor, read_cursor
from api.people_bodies import NewPerson, PeopleQuery, PersonChange
from api.people_shapes import user_shape
from api.replies import json_reply, list_reply
from api.routes import PREFIX
from api.trail import note
from api.transactions import reading
from api.yard import the_yard
from records import people
from records.passwords import make_hash
from records.specs import parse_as
from records.tables import UserTable
from records.tokens import revoke_tokens

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

users = APIBlueprint("users", __name__, url_prefix=PREFIX)

_SECRET = {"Cache-Control": "no-store"}


@users.get("/users")
@describe(users, reply=views.page_of(views.User), query=PeopleQuery, errors=(403,))
def list_users() -> Response:
    """List everybody with an account, by name"""
    require_admin()
    query = read_query(PeopleQuery)
    past = read_cursor("users", query.cursor, str)[0] if query.cursor else ""
    with reading() as session:
        rows = people.list_people(session, past=past, limit=query.limit + 1)
        page, last = cut_page(rows, query.limit)
        teams = people.teams_of(session, [row.id for row in page])
    items = [user_shape(row, teams[row.id]) for row in page]
    return list_reply(items, make_cursor("users", last.name) if last else None)


@users.post("/users")
@describe(
    users, reply=views.InvitedUser, status=201, body="NewPerson", errors=(400, 403, 409, 413, 415, 422), scope="full"
)
def add_user() -> Response:
    """Add a person

    Without a password the reply has an `invitation`: a token to get in with for a week, shown this once.
    """
    require_admin()
    yard = the_yard()
    asked = parse_as(NewPerson, read_json()[1])
    password_hash = make_hash(asked.password, field="password") if asked.password is not None else None
    with yard.database.write() as session:
        row = people.add_person(session, asked.name, asked.role, password_hash=password_hash, at=yard.clock())
        invitation = people.invite(session, row.id, at=yard.clock()) if password_hash is None else None
        note(session, "user.added", f"user {row.name}", row.role)
        shown = _shape(session, row)
    headers = {"Location": f"{PREFIX}/users/{row.name}", **_SECRET}
    return json_reply({**shown, "invitation": invitation}, 201, headers=headers)


@users.get("/users/<name>")
@describe(users, reply=views.User, errors=(403, 404))
def show_user(name: str) -> Response:
    """Show an account"""
    require_admin()
    with reading() as session:
        return json_reply(_shape(session, people.find_person(session, name)))


@users.patch("/users/<name>")
@describe(users, reply=views.User, body="PersonChange", errors=(400, 403, 404, 409, 413, 415, 422), scope="full")
def change_user(name: str) -> Response:
    """Make somebody administrator or member, let them in or out

    Who is let out (`active: false`) is out at once: sessions and tokens end. What is theirs stays, and their jobs run
    on. The last administrator cannot go.
    """
    require_admin()
    yard = the_yard()
    with yard.database.read() as session:
        people.find_person(session, name)
    asked = parse_as(PersonChange, read_json()[1])
    with yard.database.write() as session:
        row = people.find_person(session, name, lock=True)
        if asked.role is not None and asked.role != row.role:
            people.change_role(session, row, asked.role)
            note(session, "user.role_changed", f"user {name}", asked.role)
        if asked.active is False:
            people.deactivate(session, row, at=yard.clock())
            note(session, "user.deactivated", f"user {name}")
        elif asked.active:
            people.activate(session, row)
            note(session, "user.activated", f"user {name}")
        shown = _shape(session, row)
    return json_reply(shown)


@users.post("/users/<name>/reset")
@describe(users, reply=views.InvitedUser, errors=(403, 404, 413, 415), scope="full")
def reset_user(name: str) -> Response:
    """Take somebody's password, sessions and tokens away, and invite them again

    For who has forgotten a password, or has lost one to somebody else. The `invitation` is shown this once.
    """
    require_admin()
    yard = the_yard()
    with yard.database.write() as session:
        row = people.find_person(session, name, lock=True)
        people.set_password(session, row, None)
        revoke_tokens(session, row.id, at=yard.clock())
        invitation = people.invite(session, row.id, at=yard.clock())
        note(session, "user.reset", f"user {name}")
        shown = _shape(session, row)
    return json_reply({**shown, "invitation": invitation}, headers=_SECRET)


def _shape(session: Session, row: UserTable) -> dict[str, Any]:
    return user_shape(row, people.teams_of(session, [row.id])[row.id])
