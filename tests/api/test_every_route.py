"""Every route of the OpenAPI document, walked by everybody: who is answered, who is refused, who is told of nothing.

All things are ada's: job 1 and 2, the dataset `ants`, the model `noops`, a prediction, an upload, a token. A route that
stands in no group below fails the test: say there whose it is.
"""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update

from records import pictures, predictions, uploads
from records.access import EVERYTHING
from records.accounts import create_token, create_user
from records.blobs import FolderBlobs
from records.people import deactivate, find_person
from records.pictures import NewPicture
from records.predictions import AskedImage
from records.questions import Options
from records.quotas import Quota
from records.tables import JobTable
from records.teams import add_member, find_team, make_team
from tests.api.calling import Caller
from tests.records.own_sets import Sets

SAFE = ("GET", "HEAD")
PUBLIC = {"/healthz", "/readyz", "/version"}
ADMINISTRATORS = re.compile(
    r"/metrics|/api/v1/(audit|users.*|queue/history)|POST /api/v1/teams|(PUT|DELETE) /api/v1/teams/.*"
)
ONES_OWN = re.compile(
    r"/api/v1/(me|me/password|jobs|queue|usage|quotas|queue/promises|pictures|specs|teams|models|tokens|uploads|devices"
    r"|datasets"
    r"|networks|estimates|networks/\{name\}|networks/describe|estimates/accuracy)|POST /api/v1/models/\{name\}/versions"
)
"""Everybody is answered, and of their own things or what is shown to them."""
THINGS = re.compile(r"/api/v1/(jobs/compare|jobs/\{job_id\}.*|datasets/\{name\}.*|models/\{(name|ref)\}.*)")
"""Whoever sees it may look; only its owner and administrators may change it."""
USES = re.compile(r"POST /api/v1/jobs/\{job_id\}/(clone|predict)")
"""Of these things: whoever sees it may do this."""
OWNERS = re.compile(r"POST /api/v1/datasets/\{name\}/versions|/api/v1/uploads/\{upload_id\}")
"""Not even an administrator finds another's."""
SENDERS = re.compile(r"/api/v1/(predictions/\{prediction_id\}|pictures/\{picture_id\}.*|tokens/\{token_id\})")
"""Its owner and administrators find it, however visible other things are."""
MEMBERS = re.compile(r"GET /api/v1/teams/\{name\}")
GROUPS = (OWNERS, ADMINISTRATORS, SENDERS, MEMBERS, ONES_OWN, THINGS)
"""The first that a route stands in counts."""
CHANGES_NOTHING = re.compile(r"POST /api/v1/(estimates|networks/describe)")
"""A token that only looks may do these too."""
FULL = re.compile(
    r"PUT /api/v1/me/password|(POST|DELETE) /api/v1/tokens.*|(POST|PATCH) /api/v1/users.*"
    r"|(POST|PUT|DELETE) /api/v1/teams.*"
)
"""A token that only writes may not do these."""


@pytest.fixture
def database_url(tmp_path, migrated_sqlite):
    """SQLite alone: that both databases understand the rule alike is `tests/records/test_access.py`'s to say."""
    path = tmp_path / "yard.sqlite"
    path.write_bytes(migrated_sqlite.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def things(database, settings, clock, member, ada, ran, submit_noop, hand):
    """What is ada's, as the values of the parameters of paths, by their names."""
    submit_noop(name="a second job")
    hand.end(hand.take_up())
    assert ada.post("models/noops/versions", {"job": ran, "artifact": "history.csv"}).status_code == 201
    assert ada.send("PUT", "models/noops/aliases/champion", json={"version": 1}).status_code == 200
    sets = Sets(database, clock, anna=member.person, blobs=FolderBlobs(settings.blob_folder))
    sets.ready(more=("sheet.png", "sheets/0.png"))
    (settings.home / "picture").write_bytes(b"\x89PNG")
    kept = FolderBlobs(settings.blob_folder).put_file(settings.home / "picture")
    with database.write() as session:
        at, owner = clock(), {"owner_id": member.person.id}
        image = [AskedImage("a.png", "0" * 64)]
        asked = predictions.ask(session, **owner, job_id=ran, options=Options(), images=image, most_open=9, at=at)
        quota = Quota(10**9, 10, 10**6)
        sent = uploads.begin_upload(session, member.person.id, "a", size_bytes=9, sha256=None, quota=quota, at=at).id
        picture = NewPicture("a.png", kept.sha256, kept.size_bytes, "image/png", 1, 1)
        drawn = pictures.add_pictures(session, member.person.id, [picture], most=9, at=at)[0].id
        create_token(session, member.person.id, "another", at=at)
        team = make_team(session, "vision", at=at)
        add_member(session, team, member.person.id, at=at)
    number = ada.get("tokens").json["items"][0]["id"]
    sent_by_ada = {"prediction_id": asked, "upload_id": sent, "token_id": number, "picture_id": drawn}
    return {"job_id": ran, "number": 1, "class_index": 0, **sent_by_ada}


@pytest.fixture
def callers(app, database, clock, ada, root, nobody, member, things):
    """Everybody who calls, by role."""

    def join(name, *teams, scope="full", ends=None):
        with database.write() as session:
            person = create_user(session, name, "member", at=clock())
            for team in teams:
                add_member(session, team, person.id, at=clock())
            return Caller(app, create_token(session, person.id, "t", scope=scope, expires_at=ends, at=clock()))

    def another_token(scope):
        with database.write() as session:
            return Caller(app, create_token(session, member.person.id, scope, scope=scope, at=clock()))

    with database.write() as session:
        audio = make_team(session, "audio", at=clock())
        vision = find_team(session, EVERYTHING, "vision")
    found = {
        "anonymous": nobody,
        "stranger": join("bob"),
        "other team": join("dan", audio),
        "team mate": join("cara", vision),
        "owner": ada,
        "owner who reads": another_token("read"),
        "owner who writes": another_token("write"),
        "administrator": root,
        "expired": join("eve", vision, ends=clock()),
        "deactivated": join("fay", vision),
    }
    with database.write() as session:
        deactivate(session, find_person(session, "fay"), at=clock())
    return found


def routes(app):
    """Every (method, path) of the document: looks, then changes, then what deletes, the whole after its parts."""
    found = [(method.upper(), path) for path, operations in app.spec["paths"].items() for method in operations]
    order = {"GET": 0, "DELETE": 2}
    return sorted(found, key=lambda one: (order.get(one[0], 1), -len(one[1]), one[1]))


def address(method, path, things):
    """The path about ada's things, whoever asks."""
    names = {"jobs": "history.csv", "datasets": "ants", "models": "noops", "networks": "lenet5", "users": "ada"}
    subject = path.split("/")[3] if path.startswith("/api/") else ""
    values = {**things, "name": {**names, "teams": "vision"}.get(subject), "alias": "champion", "file": "history.csv"}
    values |= {"ref": "noops@champion", "person": "cara"}
    filled = re.sub(r"\{(\w+)\}", lambda found: str(values[found[1]]), path)
    if path == "/api/v1/jobs/compare":
        return f"{filled}?ids=1,2"
    owned = (
        subject in ("datasets", "models") and "{" in path and not re.fullmatch(r"POST .*/versions", f"{method} {path}")
    )
    return f"{filled}?owner=ada" if owned or "{token_id}" in path else filled


def expected(role, visibility, method, path):
    """`answered`, or the statuses of which the reply must have one."""
    route, looks = f"{method} {path}", method in SAFE

    if path in PUBLIC:
        return "answered"
    group = next((one for one in GROUPS if one.fullmatch(route) or one.fullmatch(path)), None)
    assert group is not None, f"{route} stands in no group of this test: say whose it is"
    if role in ("anonymous", "expired", "deactivated"):
        return (401,)
    if role == "owner who reads" and not looks and not CHANGES_NOTHING.fullmatch(route):
        return (403,)
    if role == "owner who writes" and FULL.fullmatch(route):
        return (403,)
    owner, admin = role.startswith("owner"), role == "administrator"
    sees = owner or admin or visibility == "public" or (visibility == "team" and role == "team mate")
    if group is ADMINISTRATORS:
        return "answered" if admin else (403,)
    if group is ONES_OWN:
        return "answered"
    if group is OWNERS:
        return "answered" if owner else (404,)
    if group is SENDERS:
        return "answered" if owner or admin else (404,)
    if group is MEMBERS:
        return "answered" if owner or admin or role == "team mate" else (404,)
    if not sees:
        return (404,)
    return "answered" if looks or owner or admin or USES.fullmatch(route) else (403,)


def show(ada, visibility):
    body = {"visibility": visibility, **({"team": "vision"} if visibility == "team" else {})}
    for thing in ("jobs/1", "jobs/2", "datasets/ants", "models/noops"):
        assert ada.send("PUT", f"{thing}/visibility", json=body).status_code == 200


@pytest.mark.parametrize("visibility", ["private", "team", "public"])
@pytest.mark.parametrize(
    "roles",
    [
        ("anonymous", "expired", "deactivated", "stranger", "other team", "team mate", "owner who reads"),
        ("owner who writes",),
        ("owner",),
        ("administrator",),
    ],
    ids=["guests", "writer", "owner", "administrator"],
)
def test_every_route_answers_whom_it_may_and_nobody_else(app, callers, things, ada, visibility, roles):
    show(ada, visibility)
    for method, path in routes(app):
        where = address(method, path, things)
        for role in roles:
            wanted = expected(role, visibility, method, path)
            reply = callers[role].send(method, where)
            told = (role, visibility, method, where, reply.status_code, reply.data[:200])
            if wanted == "answered":
                assert reply.status_code not in (401, 403, 404, 500), told
                assert method != "GET" or reply.status_code == 200, told
            else:
                assert reply.status_code in wanted, told


def test_what_one_may_not_see_looks_the_same_as_what_is_not_there(app, callers, things):
    bob = callers["stranger"]
    for there, absent in (
        ("jobs/1", "jobs/77"),
        ("jobs/1/artifacts/history.csv", "jobs/77/artifacts/history.csv"),
        ("models/noops?owner=ada", "models/soops?owner=ada"),
        ("datasets/ants?owner=ada", "datasets/bees?owner=ada"),
        ("teams/vision", "teams/nothing"),
        (f"predictions/{things['prediction_id']}", "predictions/77"),
    ):
        replies = [bob.get(path).json for path in (there, absent)]
        texts = [re.sub(r"1|77|noops|soops|ants|bees|vision|nothing", "…", reply["detail"]) for reply in replies]
        assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("visibility", "seen_by"),
    [("private", set()), ("team", {"team mate"}), ("public", {"team mate", "stranger", "other team"})],
)
def test_lists_counts_search_and_comparison_hold_only_what_one_may_see(
    callers, things, ada, submit_noop, hand, visibility, seen_by
):
    for role in ("owner", "administrator", "team mate", "stranger", "other team"):
        assert callers[role].post("jobs", {"kind": "noop"}).status_code == 202
    ada.send("PATCH", "jobs/1", json={"tags": ["good"]})
    show(ada, visibility)
    for role in ("team mate", "stranger", "other team"):
        caller, sees = callers[role], role in seen_by
        theirs = {job["id"] for job in caller.get("jobs?mine=true").json["items"]}
        for query in ("jobs", "jobs?name=ran", "jobs?tag=good", "jobs?status=succeeded", "jobs?kind=noop"):
            found = {job["id"] for job in caller.get(query).json["items"]} - theirs
            assert (1 in found) == sees, (role, query)
            assert found <= {1, 2}, (role, query)
        assert [one["ref"] for one in caller.get("datasets").json["items"] if one["owner"]] == ["ada/ants"] * sees
        assert [one["name"] for one in caller.get("models").json["items"]] == ["noops"] * sees
        assert caller.get("models?mine=true").json["items"] == []
        assert caller.get("jobs/compare?ids=1,2").status_code == (200 if sees else 404)
        waiting = {one["job_id"] for one in caller.get("queue").json["items"]}
        assert waiting == theirs


@pytest.mark.parametrize(("visibility", "sees"), [("private", False), ("team", True), ("public", True)])
def test_devices_and_the_queue_tell_of_a_shown_job_only(callers, things, ada, hand, submit_noop, visibility, sees):
    running, waiting = submit_noop(), submit_noop()
    hand.take_up()
    body = {"visibility": visibility, **({"team": "vision"} if visibility == "team" else {})}
    for job_id in (running, waiting):
        assert ada.send("PUT", f"jobs/{job_id}/visibility", json=body).status_code == 200
    cara = callers["team mate"]
    assert [one["job_id"] for one in cara.get("queue").json["items"]] == [waiting] * sees
    (device,) = cara.get("devices").json["items"]
    assert [one["job_id"] for one in device["leases"]] == [running if sees else None]


@pytest.mark.parametrize(("visibility", "sees"), [("private", False), ("team", True), ("public", True)])
def test_what_a_spec_refers_to_obeys_the_same_rule(callers, things, ada, database, visibility, sees):
    show(ada, visibility)
    cara = callers["team mate"]
    train = {"kind": "train", "dataset": "ada/ants", "network": {"name": "lenet5"}, "image_size": [32, 32]}
    for path in ("estimates", "jobs"):
        reply = cara.post(path, train)
        assert ("No dataset is called" in reply.text) != sees, reply.text
    for run in (1, "ada/noops@champion"):
        reply = cara.post("jobs", {"kind": "export", "run": run})
        assert reply.status_code == 422  # a noop has no model; what counts is whether it is known at all
        assert ("that you can see" in reply.text) != sees, reply.text
    described = cara.post(
        "networks/describe", {"network": {"name": "lenet5"}, "dataset": "ada/ants", "input_shape": [32, 32, 3]}
    )
    assert described.status_code == (200 if sees else 422)
    origin = cara.post("jobs?clone_of=1", {"kind": "noop"})
    assert origin.status_code == (202 if sees else 404)


def test_deleting_a_team_hides_what_it_was_shown(callers, things, ada, root):
    show(ada, "team")
    cara = callers["team mate"]
    etag = ada.get("jobs/1").headers["ETag"]
    assert cara.get("jobs/1").status_code == 200
    assert root.send("DELETE", "teams/vision").status_code == 204
    for path in ("jobs/1", "datasets/ants?owner=ada", "models/noops?owner=ada"):
        assert cara.get(path).status_code == 404
    assert ada.get("jobs/1", If_None_Match=etag).json["visibility"] == "private"


def test_who_leaves_a_team_sees_no_more_of_it(callers, things, ada, root):
    show(ada, "team")
    assert callers["team mate"].get("jobs/1/logs").status_code == 200
    assert root.send("DELETE", "teams/vision/members/cara").status_code == 204
    assert callers["team mate"].get("jobs/1/logs").status_code == 404


def test_one_shows_things_only_to_a_team_that_one_is_in(callers, things, ada):
    for team in ("audio", "nothing"):
        reply = ada.send("PUT", "jobs/1/visibility", json={"visibility": "team", "team": team})
        assert reply.status_code == 404
    for body in ({"visibility": "team"}, {"visibility": "public", "team": "vision"}, {"visibility": "secret"}):
        assert ada.send("PUT", "jobs/1/visibility", json=body).status_code == 422
    assert ada.get("jobs/1").json["visibility"] == "private"


def test_new_things_are_private(callers, things, ada, database):
    assert {one["visibility"] for one in ada.get("jobs").json["items"]} == {"private"}
    assert [one["visibility"] for one in ada.get("datasets?mine=true").json["items"]] == ["private"]
    assert [one["visibility"] for one in ada.get("models").json["items"]] == ["private"]
    with database.write() as session:
        session.execute(update(JobTable).values(visibility="odd"))  # what nobody knows is shown to nobody
    assert callers["stranger"].get("jobs/1").status_code == 404
    assert callers["stranger"].get("jobs").json["items"] == []
