"""Who gets in, who sees what, and how much of it."""

from __future__ import annotations

import pytest
from redis import Redis
from sqlalchemy import update

from api.auth import csrf_token, current_person, log_in, log_out, require_person
from records.accounts import Person
from records.tables import TokenTable
from tests.api.calling import Caller

PUBLIC = {"/healthz", "/readyz", "/version"}


def routes(app):
    """Every (method, path) of the OpenAPI document, about job 1 of ada's."""
    for path, operations in app.spec["paths"].items():
        for method in operations:
            yield method.upper(), path.replace("{job_id}", "1").replace("{name}", "history.csv")


def test_every_route_needs_a_token(app, nobody, ran):
    wrong = Caller(app, "ty_wrong")
    for method, path in routes(app):
        if path in PUBLIC:
            assert nobody.send(method, path).status_code == 200, path
            continue
        for caller in (nobody, wrong):
            reply = caller.send(method, path)
            assert (reply.status_code, reply.json["code"]) == (401, "unauthorized"), (method, path)
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_another_member_finds_none_of_my_jobs_at_any_route(app, ada, bob, ran):
    about_jobs = [(method, path) for method, path in routes(app) if "/jobs/1" in path]
    assert len(about_jobs) >= 8
    before = ada.get("jobs/1").json
    for method, path in about_jobs:
        reply = bob.send(method, path)
        assert (reply.status_code, reply.json["code"]) == (404, "not_found"), (method, path)
    assert ada.get("jobs/1").json == before
    assert bob.get("jobs").json["items"] == []


def test_the_queue_and_the_devices_do_not_tell_of_others_jobs(ada, bob, root, hand, submit_noop):
    running, waiting = submit_noop(), submit_noop()
    hand.take_up()
    mine = bob.post("jobs", {"kind": "noop"}).json["id"]
    assert [(w["job_id"], w["place"]) for w in bob.get("queue").json["items"]] == [(mine, 2)]
    assert [w["job_id"] for w in root.get("queue").json["items"]] == [waiting, mine]
    for caller, seen in ((ada, running), (bob, None), (root, running)):
        (device,) = caller.get("devices").json["items"]
        assert [lease["job_id"] for lease in device["leases"]] == [seen]


def test_an_administrator_may_do_everything_with_a_members_job(root, submit_noop):
    job_id = submit_noop()
    assert root.get(f"jobs/{job_id}").json["owner"] == "ada"
    assert root.post(f"jobs/{job_id}/cancel").status_code == 200


def test_gauges_are_for_administrators(ada, root, ran):
    assert ada.get("/metrics").status_code == 403
    gauges = root.get("/metrics")
    assert gauges.status_code == 200
    assert 'trainyard_jobs{status="succeeded"} 1.0' in gauges.text
    assert "trainyard_workers 1.0" in gauges.text


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "bearer\ttoken", "Token x", "Bearer \xff"]
)
def test_a_header_that_holds_no_token_is_refused(app, header):
    reply = Caller(app).get("me", Authorization=header)
    assert (reply.status_code, reply.json["code"]) == (401, "unauthorized")


def test_a_revoked_or_expired_token_is_refused_at_once(app, ada, database, clock):
    assert ada.get("me").json["name"] == "ada"
    for column in (TokenTable.expires_at, TokenTable.revoked_at):
        with database.write() as session:
            session.execute(update(TokenTable).values({column: clock()}))
        assert ada.get("me").status_code == 401
        with database.write() as session:
            session.execute(update(TokenTable).values({column: None}))
    assert ada.get("me").status_code == 200


# ── the pages' cookie ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def browser(app, member):
    """Somebody with a cookie and its CSRF token; `browser.csrf` is the latter."""

    def enter():
        log_in(member.token)
        return csrf_token()

    def leave():
        require_person()
        log_out()
        assert current_person() is None
        return "out"

    app.add_url_rule("/test/enter", "enter", enter, methods=["POST"])
    app.add_url_rule("/test/leave", "leave", leave, methods=["POST"])
    caller = Caller(app)
    reply = caller.post("/test/enter")
    caller.csrf = reply.text
    caller.cookie = reply.headers["Set-Cookie"]
    return caller


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser):
    assert "HttpOnly" in browser.cookie
    assert "SameSite=Strict" in browser.cookie
    assert "Expires=" in browser.cookie
    assert "ty_" not in browser.cookie


def test_the_cookie_reads_and_with_its_csrf_token_also_writes(browser):
    assert browser.get("me").json["name"] == "ada"
    for headers in ({}, {"X_CSRF_Token": "wrong"}, {"X_CSRF_Token": ""}):
        reply = browser.post("jobs", {"kind": "noop"}, **headers)
        assert (reply.status_code, reply.json["code"]) == (403, "forbidden")
    assert browser.post("jobs", {"kind": "noop"}, X_CSRF_Token=browser.csrf).status_code == 202


def test_a_cookie_ends_with_the_session_or_with_its_token(browser, database, clock):
    with database.write() as session:
        session.execute(update(TokenTable).values(revoked_at=clock()))
    assert browser.get("me").status_code == 401
    with database.write() as session:
        session.execute(update(TokenTable).values(revoked_at=None))
    assert browser.send("POST", "/test/leave", data={"csrf_token": browser.csrf}).text == "out"
    assert browser.get("me").status_code == 401


def test_a_forged_cookie_is_nobodys(app, nobody, member):
    app.secret_key = "guessed"
    forged = super(type(app.session_interface), app.session_interface).get_signing_serializer(app)
    cookie = forged.dumps({"token_id": 1, "csrf": "x", "_permanent": True})
    nobody.client.set_cookie("trainyard", cookie)
    assert nobody.get("me").status_code == 401


def test_a_cookie_of_one_process_is_known_to_another(browser, make_app):
    other = Caller(make_app())
    other.client.set_cookie("trainyard", browser.cookie.split(";")[0].removeprefix("trainyard="))
    assert other.get("me").json["name"] == "ada"


def test_a_wrong_header_is_not_saved_by_a_good_cookie(browser):
    assert browser.get("me", Authorization="Bearer ty_wrong").status_code == 401


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("broker", ["up", "down"])
def test_too_many_requests_of_one_person_are_refused(make_app, member, admin, broker, broker_url):
    with Redis.from_url(broker_url) as redis:
        redis.flushdb()  # what other tests' people of the same id have sent
    app = make_app(rate_limit="3/hour", **({} if broker == "up" else {"redis_url": None}))
    ada, root = Caller(app, member.token), Caller(app, admin.token)
    for send in (lambda c: c.get("me"), lambda c: c.post("jobs/7/cancel")):
        statuses = [send(ada).status_code for _ in range(5)]
        assert 429 not in statuses[:3]
        assert statuses[3:] == [429, 429]
        refused = send(ada)
        assert refused.json["code"] == "too_many_requests"
        assert 1 <= int(refused.headers["Retry-After"]) <= 3602
        assert send(root).status_code != 429, "others are not touched"
    assert ada.get("/healthz").status_code == 200


def test_guessing_tokens_is_limited_by_address(make_app):
    app = make_app(rate_limit="3/hour")
    statuses = [Caller(app, f"ty_{n}").get("me").status_code for n in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_a_person_is_the_same_to_views_and_limits(app, member):
    with app.test_request_context("/x", headers={"Authorization": f"Bearer {member.token}"}):
        assert require_person() == Person(member.person.id, "ada", "member")
