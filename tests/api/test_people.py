"""Accounts, passwords, tokens and what they reach; who is let out is out at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from records.accounts import create_token
from records.logins import MOST_FROM_ADDRESS, MOST_HERE, SPAN
from records.passwords import is_right, make_hash
from records.people_tables import AuditTable, LoginTryTable, SessionTable
from records.tables import TokenTable, UserTable
from tests.api.calling import Caller

PASSWORD = "three words more"


@pytest.fixture
def eve(root, app):
    """A member with the password `PASSWORD`, and a full token of hers."""
    assert root.post("users", {"name": "eve", "password": PASSWORD}).status_code == 201
    browser = log_in(app, "eve", PASSWORD)
    made = browser.post("tokens", {"name": "t", "scope": "full"}, X_CSRF_Token=csrf(browser))
    return Caller(app, made.json["token"])


def try_login(app, name, password, **more):
    caller = Caller(app)
    return caller, enter(caller, name=name, password=password, **more)


def enter(caller, *, environ=None, base_url="http://localhost", headers=None, **fields):
    """Fill in the log-in page."""
    more = {"environ_base": environ or {}, "base_url": base_url}
    page = caller.send("GET", "/login", headers=headers, **more).text
    data = {**fields, "csrf_token": page.split('name="csrf_token" value="')[1].split('"')[0]}
    return caller.send("POST", "/login", headers=headers, data=data, **more)


def log_in(app, name, password):
    caller, reply = try_login(app, name, password)
    assert reply.status_code == 303, reply.text
    return caller


def csrf(browser):
    page = browser.get("/datasets").text
    return page.split('name="csrf-token" content="')[1].split('"')[0]


# ── passwords and sessions ───────────────────────────────────────────────────────────────────────────────────


def test_a_password_is_kept_as_scrypt_and_only_so(database, eve):
    with database.read() as session:
        row = session.scalars(select(UserTable).where(UserTable.name == "eve")).one()
        trail = " ".join(f"{line.subject} {line.text}" for line in session.scalars(select(AuditTable)))
    assert row.password_hash.startswith("scrypt:32768:8:3$")
    assert PASSWORD not in row.password_hash + trail
    assert is_right(row.password_hash, PASSWORD)
    assert not is_right(row.password_hash, PASSWORD + " ")
    assert not is_right(None, PASSWORD)
    assert make_hash(PASSWORD) != make_hash(PASSWORD), "each has a salt of its own"


def test_a_session_begins_with_a_password_and_ends_with_logging_out(app, eve, database):
    browser, reply = try_login(app, " Eve ", PASSWORD)
    cookie = reply.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie
    assert browser.get("me").json | {"id": 0} == {
        "id": 0, "name": "eve", "role": "member", "scope": "full", "has_password": True, "teams": [],
    }  # fmt: skip
    assert browser.send("POST", "/logout", data={}).status_code == 403
    stolen = Caller(app)
    stolen.client.set_cookie("trainyard", cookie.split(";")[0].removeprefix("trainyard="))
    assert stolen.get("me").status_code == 200
    assert browser.send("POST", "/logout", data={"csrf_token": csrf(browser)}).status_code == 303
    assert [one.get("me").status_code for one in (browser, stolen)] == [401, 401]


def test_over_https_the_cookie_travels_over_https_alone(app, make_app, eve):
    _, reply = try_login(app, "eve", PASSWORD, base_url="https://localhost")
    assert "Secure" in reply.headers["Set-Cookie"]
    behind = make_app(proxies=1)
    for forwarded, secure in (("https", True), ("http", False)):
        _, reply = try_login(behind, "eve", PASSWORD, headers={"X-Forwarded-Proto": forwarded})
        assert ("Secure" in reply.headers["Set-Cookie"]) == secure
    _, reply = try_login(app, "eve", PASSWORD, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" not in reply.headers["Set-Cookie"], "nobody's word is taken where no proxy is named"


def test_a_session_ends_with_its_time(app, eve, clock):
    browser = log_in(app, "eve", PASSWORD)
    clock.advance(timedelta(days=7).total_seconds() - 1)
    assert browser.get("me").status_code == 200
    clock.advance(1)
    assert browser.get("me").status_code == 401


def test_a_name_and_a_password_that_do_not_go_together_are_refused_alike(app, eve, database):
    texts = set()
    for name, password in (("eve", "wrong words here"), ("nobody-of-this-name", PASSWORD), ("eve", ""), ("", PASSWORD)):
        _, reply = try_login(app, name, password)
        assert reply.status_code == 401
        texts.add(reply.text.replace(f'value="{name}"', ""))
    assert len({text.split('role="alert">')[1].split("<")[0] for text in texts}) == 1
    with database.read() as session:
        refused = session.scalars(select(AuditTable.subject).where(AuditTable.act == "session.refused")).all()
    assert set(refused) == {"user eve", "user unknown"}


def test_another_site_cannot_log_anybody_in(app, eve):
    theirs = {"name": "eve", "password": PASSWORD}
    for token in ({}, {"csrf_token": ""}, {"csrf_token": "guessed"}):
        reply = Caller(app).send("POST", "/login", data=theirs | token)
        assert reply.status_code == 403
    there = Caller(app)
    there.send("GET", "/login")
    assert there.send("POST", "/login", data=theirs | {"csrf_token": "guessed"}).status_code == 403
    assert there.get("me").status_code == 401


def test_changing_ones_password_needs_the_old_one_and_ends_the_other_sessions(app, eve):
    here, there = log_in(app, "eve", PASSWORD), log_in(app, "eve", PASSWORD)
    token = csrf(here)

    def change(**body):
        return here.send("PUT", "me/password", headers={"X-CSRF-Token": token}, json=body)

    assert here.send("PUT", "me/password", json={"current": PASSWORD, "new": "other words here"}).status_code == 403
    for body in ({"new": "other words here"}, {"current": "wrong words", "new": "other words here"}):
        refused = change(**body)
        assert (refused.status_code, refused.json["problems"][0]["path"]) == (422, "current")
    for new in ("short", "aaaaaaaaaaaaaaa", "x" * 201):
        assert change(current=PASSWORD, new=new).json["problems"][0]["path"] == "new"
    assert change(current=PASSWORD, new="other words here").status_code == 204
    assert (here.get("me").status_code, there.get("me").status_code, eve.get("me").status_code) == (200, 401, 200)
    assert try_login(app, "eve", PASSWORD)[1].status_code == 401
    assert try_login(app, "eve", "other words here")[1].status_code == 303


# ── throttling ───────────────────────────────────────────────────────────────────────────────────────────────


def test_tries_at_an_account_are_throttled_from_one_address_and_nobody_is_locked_out_by_a_stranger(app, eve, clock):
    for _ in range(MOST_HERE):
        assert try_login(app, "eve", "wrong words")[1].status_code == 401
    _, refused = try_login(app, "eve", PASSWORD)
    assert refused.status_code == 429
    assert "Wait 15 minutes" in refused.text
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert try_login(app, "eve", PASSWORD, environ=elsewhere)[1].status_code == 303
    clock.advance(SPAN.total_seconds() - 1)
    assert try_login(app, "eve", PASSWORD)[1].status_code == 429
    clock.advance(1)
    assert try_login(app, "eve", PASSWORD)[1].status_code == 303


def test_tries_from_an_address_are_throttled_whoever_they_are_at(app, eve, database):
    for number in range(MOST_FROM_ADDRESS):
        assert try_login(app, f"name-{number}", "wrong words")[1].status_code == 401
    assert try_login(app, "eve", PASSWORD)[1].status_code == 429
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(LoginTryTable)) == MOST_FROM_ADDRESS


def test_getting_in_takes_back_ones_own_tries_alone(app, eve):
    for _ in range(3):
        for _ in range(MOST_HERE - 1):
            assert try_login(app, "eve", "wrong words")[1].status_code == 401
        assert try_login(app, "eve", PASSWORD)[1].status_code == 303


def test_trying_out_the_old_password_is_throttled_too(app, eve):
    replies = [
        eve.send("PUT", "me/password", json={"current": f"wrong words {n}", "new": "other words here"})
        for n in range(MOST_HERE + 1)
    ]
    assert [reply.status_code for reply in replies] == [422] * MOST_HERE + [429]
    assert replies[-1].json["code"] == "too_many_logins"
    assert int(replies[-1].headers["Retry-After"]) == SPAN.total_seconds()


# ── accounts ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_is_invited_gets_in_for_a_week_and_chooses_a_password(app, root, clock):
    made = root.post("users", {"name": "gil"})
    assert (made.status_code, made.headers["Cache-Control"], made.json["has_password"]) == (201, "no-store", False)
    caller = Caller(app, made.json["invitation"])
    assert caller.send("PUT", "me/password", json={"new": PASSWORD}).status_code == 204
    assert log_in(app, "gil", PASSWORD).get("me").json["name"] == "gil"
    assert root.post("users", {"name": "gil"}).status_code == 409
    for name in ("", "Gil", "a/b", "a b", ".x", "x" * 64):
        assert root.post("users", {"name": name}).status_code == 422
    clock.advance(timedelta(days=7).total_seconds())
    assert caller.get("me").status_code == 401


def test_who_is_let_out_is_out_at_once_and_comes_back_as_before(app, root, eve, database):
    browser = log_in(app, "eve", PASSWORD)
    assert root.send("PATCH", "users/eve", json={"active": False}).json["active"] is False
    assert [one.get("me").status_code for one in (eve, browser)] == [401, 401]
    assert try_login(app, "eve", PASSWORD)[1].status_code == 401
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(SessionTable)) == 0
    assert root.send("PATCH", "users/eve", json={"active": True}).json["active"] is True
    assert [one.get("me").status_code for one in (eve, browser)] == [200, 401]
    assert try_login(app, "eve", PASSWORD)[1].status_code == 303


def test_the_last_active_administrator_stays(root, eve):
    for change in ({"active": False}, {"role": "member"}):
        assert root.send("PATCH", "users/admin", json=change).status_code == 409
    assert root.send("PATCH", "users/eve", json={"role": "admin"}).json["role"] == "admin"
    assert root.send("PATCH", "users/admin", json={"role": "member"}).status_code == 200
    assert eve.get("users").status_code == 200
    assert root.get("users").status_code == 403
    assert eve.send("PATCH", "users/eve", json={"active": False}).status_code == 409


def test_a_reset_takes_password_sessions_and_tokens_away(app, root, eve):
    browser = log_in(app, "eve", PASSWORD)
    invitation = root.post("users/eve/reset").json["invitation"]
    assert [one.get("me").status_code for one in (eve, browser)] == [401, 401]
    assert try_login(app, "eve", PASSWORD)[1].status_code == 401
    assert Caller(app, invitation).get("me").json["has_password"] is False


def test_people_are_listed_in_pages(root, eve, ada):
    first = root.get("users?limit=2").json
    assert [one["name"] for one in first["items"]] == ["ada", "admin"]
    assert [one["name"] for one in root.get(f"users?limit=2&cursor={first['next']}").json["items"]] == ["eve"]


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_token_is_shown_once_and_kept_as_a_digest(app, eve, database):
    made = eve.post("tokens", {"name": "for the cluster", "scope": "read", "expires_in_days": 1})
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    secret = made.json["token"]
    assert secret not in eve.get("tokens").text
    with database.read() as session:
        rows = session.scalars(select(TokenTable)).all()
    assert all(secret not in str(vars(row)) for row in rows)
    assert Caller(app, secret).get("me").json["scope"] == "read"


def test_a_token_ends_when_it_expires(app, eve, clock):
    secret = eve.post("tokens", {"name": "t", "expires_in_days": 1}).json["token"]
    clock.advance(24 * 3600 - 1)
    assert Caller(app, secret).get("me").status_code == 200
    clock.advance(1)
    assert Caller(app, secret).get("me").status_code == 401
    assert [one["live"] for one in eve.get("tokens").json["items"]] == [False, True]


def test_a_revoked_token_ends_with_its_sessions(app, eve):
    made = eve.post("tokens", {"name": "t"}).json
    browser, caller = Caller(app), Caller(app, made["token"])
    assert enter(browser, token=made["token"]).status_code == 303
    assert [one.get("me").status_code for one in (browser, caller)] == [200, 200]
    assert eve.send("DELETE", f"tokens/{made['id']}").status_code == 204
    assert [one.get("me").status_code for one in (browser, caller)] == [401, 401]


def test_a_session_goes_no_further_than_the_token_that_it_began_with(app, eve, submit_noop):
    secret = eve.post("tokens", {"name": "t", "scope": "read"}).json["token"]
    browser = Caller(app)
    assert enter(browser, token=secret).status_code == 303
    reply = browser.post("jobs", {"kind": "noop"}, X_CSRF_Token=csrf(browser))
    assert (reply.status_code, reply.json["code"]) == (403, "scope_too_small")
    assert browser.send("POST", "/logout", data={"csrf_token": csrf(browser)}).status_code == 303


@pytest.mark.parametrize(
    ("scope", "looks", "sends", "makes_tokens"),
    [("read", 200, 403, 403), ("write", 200, 202, 403), ("full", 200, 202, 201), ("odd", 403, 403, 403)],
)
def test_a_token_goes_as_far_as_its_scope(app, member, database, clock, scope, looks, sends, makes_tokens):
    with database.write() as session:
        caller = Caller(app, create_token(session, member.person.id, "t", scope=scope, at=clock()))
    assert caller.get("jobs").status_code == looks
    assert caller.post("jobs", {"kind": "noop"}).status_code == sends
    assert caller.post("tokens", {"name": "t"}).status_code == makes_tokens


def test_an_administrators_token_that_only_reads_changes_nobody(app, admin, root, ada):
    secret = root.post("tokens", {"name": "prometheus", "scope": "read"}).json["token"]
    reader = Caller(app, secret)
    assert [reader.get(path).status_code for path in ("/metrics", "users", "audit")] == [200, 200, 200]
    assert reader.send("PATCH", "users/ada", json={"active": False}).status_code == 403
    assert ada.get("me").status_code == 200


def test_one_revokes_ones_own_tokens_and_administrators_anybodys(root, eve, ada):
    number = eve.get("tokens").json["items"][0]["id"]
    for path in (f"tokens/{number}", f"tokens/{number}?owner=eve"):
        assert ada.send("DELETE", path).status_code == 404
    assert ada.get("tokens?owner=eve").status_code == 404
    assert [one["id"] for one in root.get("tokens?owner=eve").json["items"]] == [number]
    assert root.send("DELETE", f"tokens/{number}?owner=eve").status_code == 204
    assert eve.get("me").status_code == 401


# ── the audit trail ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_trail_tells_who_did_what_on_what_and_from_where(root, eve, ada, submit_noop):
    job_id = submit_noop()
    ada.send("POST", f"jobs/{job_id}/cancel", environ_base={"REMOTE_ADDR": "192.0.2.9"})
    line = root.get("audit?limit=1").json["items"][0]
    assert {**line, "id": 0, "at": ""} == {
        "id": 0, "at": "", "actor": "user:ada", "act": "job.cancelled", "subject": f"job {job_id}", "text": "",
        "address": "192.0.2.9",
    }  # fmt: skip
    every = root.get("audit?limit=1000").json["items"]
    assert {"user.added", "session.begun", "token.made", "job.cancelled"} <= {one["act"] for one in every}
    paged, cursor = [], ""
    while cursor is not None:
        page = root.get(f"audit?limit=2{cursor}").json
        paged += page["items"]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert paged == every
    assert {one["actor"] for one in root.get("audit?actor=ada").json["items"]} == {"user:ada"}


def test_an_act_that_fails_leaves_no_line(root, ada, ran):
    before = len(root.get("audit").json["items"])
    assert ada.post(f"jobs/{ran}/cancel").status_code == 409
    assert root.send("PATCH", "users/admin", json={"active": False}).status_code == 409
    assert len(root.get("audit").json["items"]) == before
