"""The audit trail is only ever added to."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from records.audit import add_line, list_lines


@pytest.fixture
def trail(database, clock):
    """Three lines of two people's."""
    with database.write() as session:
        for actor, act in (("user:ada", "job.submitted"), ("user:bob", "job.cancelled"), ("user:ada", "jobless.act")):
            add_line(session, act, "job 7", actor=actor, address="192.0.2.1", at=clock.advance(1))


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'user:eve'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_a_line_or_to_take_it_away(database, trail, statement):
    with pytest.raises(DBAPIError, match="only ever added to"), database.write() as session:
        session.execute(text(statement))
    with database.read() as session:
        assert [row.actor for row in list_lines(session)] == ["user:ada", "user:bob", "user:ada"]


def test_lines_are_listed_newest_first_by_person_and_by_act(database, trail):
    with database.read() as session:
        acts = [row.act for row in list_lines(session)]
        assert acts == ["jobless.act", "job.cancelled", "job.submitted"]
        assert [row.act for row in list_lines(session, actor="bob")] == ["job.cancelled"]
        assert [row.act for row in list_lines(session, act="job")] == ["job.cancelled", "job.submitted"]
        assert [row.act for row in list_lines(session, act="job.submitted")] == ["job.submitted"]
        newest = list_lines(session, limit=1)[0]
        assert [row.act for row in list_lines(session, before=newest.id)] == acts[1:]
