"""The pages about people: one's own account, and for administrators accounts, teams and the audit trail."""

from __future__ import annotations

from flask import render_template, request

from api.auth import require_admin, require_person
from api.paging import LARGEST_ID
from api.people_shapes import token_shape
from api.yard import the_yard
from records import people, teams
from records.access import EVERYTHING, viewer_of
from records.audit import list_lines
from records.errors import InvalidRequest, shorten
from records.scopes import SCOPES
from records.tokens import list_tokens

_MOST_PEOPLE = 500
_LINES = 100


def account() -> str:
    """One's own account: teams, password, tokens."""
    person, yard = require_person(), the_yard()
    with yard.database.read() as session:
        row = people.find_person(session, person.name)
        rows = list_tokens(session, person.id)
        mine = people.teams_of(session, [person.id])[person.id]
    tokens = [(token, token_shape(token, at=yard.clock())["live"]) for token in rows]
    shown = {"account": row, "tokens": tokens, "teams": mine, "scopes": SCOPES}
    return render_template("pages/account.html", **shown)


def people_page() -> str:
    """Everybody with an account, and the teams, for administrators."""
    require_admin()
    with the_yard().database.read() as session:
        rows = people.list_people(session, limit=_MOST_PEOPLE)
        of_people = people.teams_of(session, [row.id for row in rows])
        every = teams.list_teams(session, EVERYTHING)
        members = teams.list_members(session, [team.id for team in every])
    users = [(row, of_people[row.id]) for row in rows]
    return render_template("pages/people.html", users=users, teams=[(team, members[team.id]) for team in every])


def audit_page() -> str:
    """Who did what, the newest first, for administrators."""
    require_admin()
    actor, act = request.args.get("user", "")[:100], request.args.get("act", "")[:50]
    if not (actor + act).isprintable():
        raise InvalidRequest("Expected plain text to look for.")
    with the_yard().database.read() as session:
        found = list_lines(session, actor=actor or None, act=act or None, before=_before(), limit=_LINES + 1)
    older = found[_LINES - 1].id if len(found) > _LINES else None
    return render_template("pages/audit.html", lines=found[:_LINES], older=older, user=actor, act=act)


def own_teams() -> list[str]:
    """The names of the teams to which the present person can show something."""
    with the_yard().database.read() as session:
        return [team.name for team in teams.list_teams(session, viewer_of(require_person()))]


def may_change(owner_id: int) -> bool:
    """Whether the present person may change what belongs to that one."""
    return viewer_of(require_person()).may_change(owner_id)


def _before() -> int | None:
    text = request.args.get("before", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise InvalidRequest(f"Expected a whole number as `before`, got {shorten(text)!r}.")
    return min(int(text[:30]), LARGEST_ID)
