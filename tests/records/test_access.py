"""Who may see what: one rule, said twice, for a row and for a query."""

from __future__ import annotations

from itertools import product

import pytest
from sqlalchemy import select, update

from records.access import EVERYTHING, Viewer, check_change, seen_by, seen_jobs, sees, viewer_of
from records.accounts import create_user
from records.errors import Conflict, Forbidden, NotFound
from records.tables import JobTable
from records.teams import add_member, delete_team, find_team, list_members, list_teams, make_team, remove_member
from tests.conftest import Account


@pytest.fixture
def teams(database, member, clock):
    """The teams `vision`, with ada and cara, and `audio`, with dan; the people's ids by name."""
    with database.write() as session:
        ids = {name: create_user(session, name, "member", at=clock()).id for name in ("bob", "cara", "dan")}
        ids["ada"] = member.person.id
        for team, names in (("vision", ("ada", "cara")), ("audio", ("dan",))):
            row = make_team(session, team, at=clock())
            for name in names:
                add_member(session, row, ids[name], at=clock())
        ids |= {team: find_team(session, EVERYTHING, team).id for team in ("vision", "audio")}
    return ids


def test_a_row_and_a_query_are_decided_alike(database, teams, submit_noop, admin):
    """For all visibilities, teams and viewers: also where a row contradicts itself."""
    cases = list(product(("private", "team", "public", "odd"), (None, "vision", "audio")))
    jobs = {submit_noop(): case for case in cases}
    with database.write() as session:
        for job_id, (visibility, team) in jobs.items():
            columns = {"visibility": visibility, "team_id": teams.get(team)}
            session.execute(update(JobTable).where(JobTable.id == job_id).values(**columns))
    people = {name: Viewer(teams[name]) for name in ("ada", "bob", "cara", "dan")}
    viewers = {**people, "nobody": Viewer(), "admin": viewer_of(admin.person), "the yard": EVERYTHING}
    with database.read() as session:
        rows = session.scalars(select(JobTable)).all()
        for name, viewer in viewers.items():
            one_by_one = {row.id for row in rows if sees(session, viewer, row)}
            assert set(session.scalars(select(JobTable.id).where(seen_by(viewer, JobTable)))) == one_by_one, name
            assert seen_jobs(session, viewer, jobs) == one_by_one, name
            found = {jobs[job_id] for job_id in one_by_one}
            if name in ("ada", "admin", "the yard"):
                assert found == set(cases)
            else:
                own = {"cara": {("team", "vision")}, "dan": {("team", "audio")}}.get(name, set())
                assert found == own | {case for case in cases if case[0] == "public"}


def test_only_owner_and_administrators_change_a_thing(teams, member, admin):
    owner_id = member.person.id
    check_change(viewer_of(member.person), owner_id, "it")
    check_change(viewer_of(admin.person), owner_id, "it")
    for viewer in (Viewer(teams["cara"]), Viewer()):
        with pytest.raises(Forbidden, match="You may look at job 7, but only its owner"):
            check_change(viewer, owner_id, "job 7")


def test_a_member_sees_their_own_teams_and_who_is_in(database, teams, admin):
    with database.read() as session:
        assert [row.name for row in list_teams(session, Viewer(teams["cara"]))] == ["vision"]
        assert [row.name for row in list_teams(session, Viewer(teams["bob"]))] == []
        assert [row.name for row in list_teams(session, viewer_of(admin.person))] == ["audio", "vision"]
        assert list_members(session, [teams["vision"]]) == {teams["vision"]: ["ada", "cara"]}
        with pytest.raises(NotFound):
            find_team(session, Viewer(teams["bob"]), "vision")


def test_a_team_is_made_once_and_joined_once(database, teams, clock):
    with database.write() as session, pytest.raises(Conflict):
        make_team(session, "vision", at=clock())
    with database.write() as session:
        team = find_team(session, EVERYTHING, "vision")
        for _ in range(2):
            add_member(session, team, teams["bob"], at=clock())
        remove_member(session, team, teams["bob"])
        with pytest.raises(NotFound):
            remove_member(session, team, teams["bob"])


def test_a_deleted_team_leaves_its_things_to_their_owners(database, teams, submit_noop, member: Account):
    job_id = submit_noop()
    with database.write() as session:
        values = {"visibility": "team", "team_id": teams["vision"]}
        session.execute(update(JobTable).where(JobTable.id == job_id).values(**values))
    with database.write() as session:
        before = session.get_one(JobTable, job_id).version
        delete_team(session, find_team(session, EVERYTHING, "vision"))
    with database.read() as session:
        job = session.get_one(JobTable, job_id)
        assert (job.visibility, job.team_id, job.version) == ("private", None, before + 1)
        assert [row.name for row in list_teams(session, EVERYTHING)] == ["audio"]
