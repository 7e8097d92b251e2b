"""People, tokens, and keys that make a request safe to send again."""

from __future__ import annotations

import stat
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from records import accounts, jobs
from records.errors import IdempotencyKeyReused, Unauthorized
from records.specs import parse_spec
from records.tables import JobTable, TokenTable, UserTable


def authenticate(database, token, at):
    with database.read() as session:
        return accounts.authenticate(session, token, at=at)


def test_a_token_stands_for_its_person(database, admin, member, clock):
    assert authenticate(database, member.token, clock()) == member.person
    assert authenticate(database, admin.token, clock()) == admin.person
    assert (admin.person.is_admin, member.person.is_admin) == (True, False)


@pytest.mark.parametrize("token", ["", "ty_", "ty_unknown", "x" * 10_000, "\x00", "é"])
def test_an_unknown_token_is_refused(database, member, clock, token):
    with pytest.raises(Unauthorized):
        authenticate(database, token, clock())


def test_only_the_digest_of_a_token_is_kept(database, member):
    with database.read() as session:
        (row,) = session.execute(select(TokenTable)).scalars()
        everything = " ".join(str(value) for value in vars(row).values())
    assert member.token not in everything
    assert member.token.removeprefix("ty_") not in everything
    assert len(row.sha256) == 64


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
def test_a_revoked_or_expired_token_is_refused(database, member, clock, column):
    with database.write() as session:
        session.execute(update(TokenTable).values({column: clock()}))
    with pytest.raises(Unauthorized):
        authenticate(database, member.token, clock())


def test_a_token_is_good_until_it_expires(database, member, clock):
    with database.write() as session:
        session.execute(update(TokenTable).values(expires_at=clock() + timedelta(seconds=10)))
    assert authenticate(database, member.token, clock()) == member.person
    with pytest.raises(Unauthorized):
        authenticate(database, member.token, clock.advance(10))


def ensure(database, path, at):
    with database.write() as session:
        return accounts.ensure_admin(session, path, at=at)


def test_the_administrator_is_made_once_with_a_private_token_file(database, tmp_path, clock):
    path = tmp_path / "token"
    token = ensure(database, path, clock())
    assert path.read_text() == token + "\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert authenticate(database, token, clock()).role == "admin"
    assert ensure(database, path, clock()) is None
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(UserTable)) == 1


def test_a_lost_token_file_gets_a_new_token_for_the_same_administrator(database, tmp_path, clock):
    path = tmp_path / "token"
    first = ensure(database, path, clock())
    path.unlink()
    second = ensure(database, path, clock())
    assert second not in (None, first)
    people = {authenticate(database, token, clock()) for token in (first, second)}
    assert len(people) == 1


def test_a_readable_file_in_the_tokens_place_is_replaced_by_a_private_one(database, tmp_path, clock):
    path = tmp_path / "token"
    path.write_text("old")
    path.chmod(0o644)
    token = ensure(database, path, clock())
    assert path.read_text().strip() == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_that_start_together_make_one_administrator(database, tmp_path, clock, race):
    results = race(*[lambda: ensure(database, tmp_path / "token", clock())] * 4)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert sum(result is not None for result in results) == 1


# ── idempotency keys ─────────────────────────────────────────────────────────────────────────────────────────


def submit_with_key(database, owner, key, body, at):
    """What the HTTP door does, in one transaction."""
    with database.write() as session:
        found = jobs.find_submitted(session, owner.person.id, key, body)
        if found is not None:
            return found
        spec = parse_spec(body, test_kinds=True)
        job = jobs.submit(session, spec, owner_id=owner.person.id, actor="user:ada", parameters=0, at=at)
        jobs.remember_key(session, owner.person.id, key, body, job.id, at=at)
        return job.id


def count_jobs(database):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(JobTable))


def test_the_same_key_and_body_give_the_same_job(database, member, clock):
    ids = {submit_with_key(database, member, "k", b'{"kind": "noop"}', clock()) for _ in range(3)}
    assert len(ids) == 1
    assert count_jobs(database) == 1


def test_the_same_key_with_another_body_is_refused(database, member, clock):
    submit_with_key(database, member, "k", b'{"kind": "noop"}', clock())
    with pytest.raises(IdempotencyKeyReused):
        submit_with_key(database, member, "k", b'{"kind": "noop", "steps": 1}', clock())
    assert count_jobs(database) == 1


def test_two_people_may_use_the_same_key(database, admin, member, clock):
    ids = {submit_with_key(database, who, "k", b'{"kind": "noop"}', clock()) for who in (admin, member)}
    assert len(ids) == 2


def test_of_requests_that_race_with_one_key_only_one_makes_a_job(database, member, clock, race):
    results = race(*[lambda: submit_with_key(database, member, "k", b'{"kind": "noop"}', clock())] * 5)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert len(set(results)) == 1
    assert count_jobs(database) == 1


def test_the_database_refuses_a_key_twice(database, member, clock):
    job_id = submit_with_key(database, member, "k", b'{"kind": "noop"}', clock())
    with pytest.raises(IntegrityError), database.write() as session:
        jobs.remember_key(session, member.person.id, "k", b"{}", job_id, at=clock())


def test_a_name_can_be_given_once(database, member, clock):
    with pytest.raises(IntegrityError), database.write() as session:
        accounts.create_user(session, "ada", "member", at=clock())
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM users")) == 1
