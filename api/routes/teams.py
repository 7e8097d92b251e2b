"""Teams: administrators make them and say who is in; members see their own."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.auth import require_admin, require_person
from api.bodies import read_json
from api.openapi import describe
from api.people_bodies import NewTeam
from api.people_shapes import team_shape
from api.replies import json_reply, list_reply, no_content
from api.routes import PREFIX
from api.trail import note
from api.transactions import reading
from api.yard import the_yard
from records import teams as life
from records.access import viewer_of
from records.people import find_person
from records.specs import parse_as

teams = APIBlueprint("teams", __name__, url_prefix=PREFIX)


@teams.get("/teams")
@describe(teams, reply=views.page_of(views.Team))
def list_teams() -> Response:
    """List the teams that one is in, by name; for administrators all"""
    with reading() as session:
        rows = life.list_teams(session, viewer_of(require_person()))
        members = life.list_members(session, [row.id for row in rows])
    return list_reply([team_shape(row, members[row.id]) for row in rows])


@teams.post("/teams")
@describe(teams, reply=views.Team, status=201, body="NewTeam", errors=(400, 403, 409, 413, 415, 422), scope="full")
def make_team() -> Response:
    """Make a team, for administrators"""
    require_admin()
    yard = the_yard()
    asked = parse_as(NewTeam, read_json()[1])
    with yard.database.write() as session:
        row = life.make_team(session, asked.name, at=yard.clock())
        note(session, "team.made", f"team {row.name}")
    return json_reply(team_shape(row, []), 201, headers={"Location": f"{PREFIX}/teams/{row.name}"})


@teams.get("/teams/<name>")
@describe(teams, reply=views.Team, errors=(404,))
def show_team(name: str) -> Response:
    """Show a team that one is in"""
    with reading() as session:
        row = life.find_team(session, viewer_of(require_person()), name)
        return json_reply(team_shape(row, life.list_members(session, [row.id])[row.id]))


@teams.delete("/teams/<name>")
@describe(teams, reply=None, status=204, errors=(403, 404), scope="full")
def delete_team(name: str) -> Response:
    """Delete a team, for administrators

    What was shown to it becomes private again.
    """
    person, yard = require_admin(), the_yard()
    with yard.database.write() as session:
        life.delete_team(session, life.find_team(session, viewer_of(person), name))
        note(session, "team.deleted", f"team {name}")
    return no_content()


@teams.put("/teams/<name>/members/<person>")
@describe(teams, reply=None, status=204, errors=(403, 404, 413, 415), scope="full")
def add_member(name: str, person: str) -> Response:
    """Let somebody into a team, for administrators"""
    admin, yard = require_admin(), the_yard()
    with yard.database.write() as session:
        row = life.find_team(session, viewer_of(admin), name)
        life.add_member(session, row, find_person(session, person).id, at=yard.clock())
        note(session, "team.joined", f"team {name}", f"user {person}")
    return no_content()


@teams.delete("/teams/<name>/members/<person>")
@describe(teams, reply=None, status=204, errors=(403, 404), scope="full")
def remove_member(name: str, person: str) -> Response:
    """Let somebody out of a team, for administrators

    They see no more what others have shown to it. What they have shown to it themselves it still sees.
    """
    admin, yard = require_admin(), the_yard()
    with yard.database.write() as session:
        row = life.find_team(session, viewer_of(admin), name)
        life.remove_member(session, row, find_person(session, person).id)
        note(session, "team.left", f"team {name}", f"user {person}")
    return no_content()
