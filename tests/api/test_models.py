"""Registered models over HTTP: numbers, aliases, files, and who sees them."""

from __future__ import annotations

import hashlib

import pytest

from api import views

MODEL = b"model" * 200


@pytest.fixture
def trained(hand, submit_noop, tmp_path):
    """A job of ada's that has succeeded and kept a model."""
    job_id = submit_noop()
    claim = hand.take_up()
    hand.keep(claim, "model.keras", MODEL, "application/zip", tmp_path)
    hand.end(claim)
    return job_id


@pytest.fixture
def digits(ada, trained):
    """`digits` of ada's, with two versions."""
    for note in (None, "the same again"):
        assert ada.post("models/digits/versions", {"job": trained, "note": note}).status_code == 201
    return "models/digits"


def put(caller, alias, version, **headers):
    return caller.send("PUT", f"models/digits/aliases/{alias}", json={"version": version}, headers=headers)


def test_a_result_is_registered_under_a_new_name_and_found_at_its_location(ada, trained):
    reply = ada.post("models", {"name": "digits", "job": trained, "note": "first"})
    assert reply.status_code == 201
    version = views.ModelVersion.model_validate(reply.json)
    assert (version.ref, version.number, version.job_id, version.note) == ("ada/digits@1", 1, trained, "first")
    assert [file.sha256 for file in version.files] == [hashlib.sha256(MODEL).hexdigest()]
    assert ada.get(reply.headers["Location"]).json == reply.json
    again = ada.post("models", {"name": "digits", "job": trained})
    assert (again.status_code, again.json["code"]) == (409, "conflict")
    assert "POST /models/digits/versions" in again.json["detail"]


def test_models_are_shown_with_versions_aliases_and_moves(ada, digits):
    put(ada, "champion", 1)
    put(ada, "champion", 2, If_Match="*")
    model = views.FullModel.model_validate(ada.get(digits).json)
    assert [(v.number, v.aliases) for v in model.versions] == [(2, ["champion"]), (1, [])]
    assert [(m.from_version, m.to_version, m.actor) for m in model.moves] == [(1, 2, "user:ada"), (None, 1, "user:ada")]
    page = views.page_of(views.RegisteredModel).model_validate(ada.get("models").json)
    (listed,) = page.items
    assert (listed.name, listed.newest, listed.versions, listed.aliases[0].version) == ("digits", 2, 2, 2)


def test_lists_come_in_pages(ada, trained):
    for name in ("c", "a", "b"):
        ada.post("models", {"name": name, "job": trained})
    first = ada.get("models?limit=2").json
    assert [item["name"] for item in first["items"]] == ["a", "b"]
    rest = ada.get(f"models?cursor={first['next']}").json
    assert ([item["name"] for item in rest["items"]], rest["next"]) == (["c"], None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "Digits", "job": 1}, "name"),
        ({"name": "x" * 64, "job": 1}, "name"),
        ({"name": "digits"}, "job"),
        ({"name": "digits", "job": "1"}, "job"),
        ({"name": "digits", "job": 1, "alias": "champion"}, "alias"),
    ],
)
def test_what_cannot_be_registered_is_named(ada, body, path):
    reply = ada.post("models", body)
    assert (reply.status_code, [p["path"] for p in reply.json["problems"]]) == (422, [path])


def test_only_results_are_registered(ada, submit_noop, trained):
    assert ada.post("models", {"name": "digits", "job": submit_noop()}).status_code == 409
    assert ada.post("models", {"name": "digits", "job": 999}).status_code == 404
    assert ada.post("models", {"name": "digits", "job": trained, "artifact": "absent.h5"}).status_code == 404
    assert ada.post("models/Digits/versions", {"job": trained}).status_code == 400
    assert ada.get("models").json["items"] == []


# ── aliases ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alias_is_moved_only_by_who_knows_where_it_is(ada, digits):
    made = put(ada, "champion", 1)
    assert (made.status_code, made.json["version"]) == (200, 1)
    known = made.headers["ETag"]
    assert ada.get(f"{digits}/aliases/champion").headers["ETag"] == known == made.json["etag"]
    blind = put(ada, "champion", 2)
    assert (blind.status_code, blind.json["code"]) == (428, "precondition_required")
    moved = put(ada, "champion", 2, If_Match=known)
    assert (moved.status_code, moved.json["version"]) == (200, 2)
    late = put(ada, "champion", 1, If_Match=known)
    assert (late.status_code, late.json["code"]) == (412, "precondition_failed")
    assert put(ada, "champion", 1, If_None_Match="*").status_code == 412
    assert put(ada, "champion", 1, If_Match="*").status_code == 200
    assert put(ada, "other", 1, If_Match="*").status_code == 412, "there is none yet"
    assert put(ada, "other", 1, If_None_Match="*").status_code == 200


def test_an_alias_is_taken_away_only_by_who_knows_where_it_is(ada, digits):
    known = put(ada, "champion", 1).headers["ETag"]
    where = f"{digits}/aliases/champion"
    assert ada.send("DELETE", where).status_code == 428
    assert ada.send("DELETE", where, headers={"If_Match": '"0"'}).status_code == 412
    gone = ada.send("DELETE", where, headers={"If_Match": known})
    assert (gone.status_code, gone.data) == (204, b"")
    assert ada.get(where).status_code == 404
    assert ada.get(digits).json["moves"][0]["to_version"] is None


@pytest.mark.parametrize("alias", ["Champion", "1", "a b", "@", "x" * 64])
def test_an_alias_is_no_number_and_has_a_sane_name(ada, digits, alias):
    assert put(ada, alias, 1).status_code == 400


def test_an_alias_points_at_a_version_that_is_there(ada, digits):
    assert put(ada, "champion", 3).status_code == 404
    assert put(ada, "champion", 0).status_code == 422


def test_what_an_alias_names_is_not_deleted(ada, digits):
    known = put(ada, "champion", 1).headers["ETag"]
    refused = ada.send("DELETE", f"{digits}/versions/1")
    assert (refused.status_code, "champion" in refused.json["detail"]) == (409, True)
    assert ada.send("DELETE", digits).status_code == 409
    assert ada.send("DELETE", f"{digits}/versions/2").status_code == 204
    assert ada.get(f"{digits}/versions/2").status_code == 404
    ada.send("DELETE", f"{digits}/aliases/champion", headers={"If_Match": known})
    assert ada.send("DELETE", digits).status_code == 204
    assert ada.get(digits).status_code == 404


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "where", ["digits@champion/download", "digits@1/download", "digits/versions/1/files/model.keras"]
)
def test_a_version_is_downloaded_by_any_of_its_names_like_an_artifact(ada, digits, where):
    put(ada, "champion", 1)
    whole = ada.get(f"models/{where}")
    assert (whole.status_code, whole.data) == (200, MODEL)
    assert whole.headers["ETag"] == f'"{hashlib.sha256(MODEL).hexdigest()}"'
    assert "model.keras" in whole.headers["Content-Disposition"]
    part = ada.get(f"models/{where}", Range="bytes=5-9")
    assert (part.status_code, part.data) == (206, MODEL[5:10])
    assert ada.get(f"models/{where}", If_None_Match=whole.headers["ETag"]).status_code == 304
    assert ada.get(f"models/{where}", Range="bytes=5000-").status_code == 416


def test_the_newest_version_is_what_a_name_alone_means(ada, digits, hand, submit_noop, tmp_path):
    job_id = submit_noop()
    claim = hand.take_up()
    hand.keep(claim, "model.keras", b"newer", "application/zip", tmp_path)
    hand.end(claim)
    ada.post("models/digits/versions", {"job": job_id})
    assert ada.get("models/digits/download").data == b"newer"


@pytest.mark.parametrize(
    "where",
    [
        "digits@absent/download",
        "digits@9/download",
        "digits@Nonsense/download",
        "digits@@/download",
        "digits/versions/1/files/..%2f..%2fsecret",
        "digits/versions/1/files/absent",
        "digits/versions/0/files/model.keras",
        "digits/versions/99999999999999999999/files/model.keras",
        "%00",
        "%00/versions/1",
        "digits/aliases/%00",
        "digits?owner=",
        "digits?owner=a%2fb",
        "digits/versions/1/files/%00",
    ],
)
def test_what_is_not_there_is_not_found(ada, digits, where):
    for method in ("GET", "DELETE"):
        reply = ada.send(method, f"models/{where}")
        assert reply.status_code in (400, 404, 405), method
        assert reply.content_type == "application/problem+json"
    assert len(ada.get(digits).json["versions"]) == 2


# ── who sees what ────────────────────────────────────────────────────────────────────────────────────────────


def test_anothers_models_are_as_good_as_absent(ada, bob, digits):
    put(ada, "champion", 1)
    before = ada.get(digits).json
    for owner in ("", "?owner=ada"):
        for where in (digits, f"{digits}/versions/1", f"{digits}/versions/1/files/model.keras",
                      f"{digits}@champion/download", f"{digits}/aliases/champion"):  # fmt: skip
            assert bob.get(where + owner).status_code == 404, where
        for where in (digits, f"{digits}/versions/2", f"{digits}/aliases/champion"):
            assert bob.send("DELETE", where + owner, headers={"If_Match": "*"}).status_code == 404, where
        moved = bob.send("PUT", f"{digits}/aliases/champion{owner}", json={"version": 2}, headers={"If_Match": "*"})
        assert moved.status_code == 404
    assert bob.get("models").json["items"] == []
    assert ada.get(digits).json == before


def test_a_member_cannot_register_anothers_job(bob, trained):
    assert bob.post("models", {"name": "mine", "job": trained}).status_code == 404


def test_an_administrator_sees_all_and_each_has_names_of_their_own(root, ada, digits, trained):
    assert root.get(digits).status_code == 404, "it is not their own"
    assert root.get(f"{digits}?owner=ada").json["owner"] == "ada"
    assert root.post("models", {"name": "digits", "job": trained}).json["ref"] == "admin/digits@1"
    assert [(m["owner"], m["name"]) for m in root.get("models").json["items"]] == [
        ("ada", "digits"),
        ("admin", "digits"),
    ]
    assert [m["owner"] for m in root.get("models?mine=true").json["items"]] == ["admin"]
    assert len(ada.get(digits).json["versions"]) == 2
