"""Bad input gets a clear problem and changes nothing."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from tests.api.calling import Caller

TRAIN = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}


def problem(reply, status, code):
    """The problem in a reply, which must be one."""
    assert reply.status_code == status, reply.text
    assert reply.content_type == "application/problem+json"
    body = reply.json
    assert body["status"] == status
    assert body["code"] == code
    assert body["detail"]
    assert body["title"]
    assert body["type"] == f"urn:trainyard:problem:{code}"
    assert body["request_id"] == reply.headers["X-Request-Id"]
    return body


@pytest.mark.parametrize(
    ("change", "path", "word"),
    [
        ({"epoch": 3}, "train.epoch", "Unknown field"),
        ({"epochs": 0}, "train.epochs", "greater than or equal to 1"),
        ({"epochs": "many"}, "train.epochs", "many"),
        ({"dataset": "mnits"}, "dataset", "Did you mean mnist"),
        ({"network": {"name": "lenet"}}, "network.name", "Did you mean lenet5"),
        ({"network": {"name": "lenet5", "options": {"activaton": "relu"}}}, "network.options.activaton", "activation"),
        ({"name": "x" * 10_000}, "name", "200"),
        ({"name": "bell\x07"}, "name", "pattern"),
        ({"learning_rate": 1e999}, "learning_rate", "finite"),
        ({"name": "\ud800"}, "", ""),
        ({"kind": "trian"}, "kind", "Did you mean train"),
        ({"kind": None}, "kind", "nothing"),
        ({"kind": ["train"]}, "kind", "train"),
    ],
)
def test_a_field_that_is_wrong_is_named_with_what_came(ada, change, path, word):
    text = json.dumps(TRAIN | change).replace("Infinity", "1e999")
    reply = ada.send("POST", "jobs", data=text, content_type="application/json")
    problems = problem(reply, 422, "invalid_spec")["problems"]
    assert problems[0]["path"] in (path, path.removeprefix("train."))
    assert word in problems[0]["text"]
    assert len(reply.data) < 3_000, "the reply does not send the whole input back"
    assert ada.get("jobs").json["items"] == []


def test_every_wrong_field_is_named(ada):
    body = problem(ada.post("jobs", TRAIN | {"epochs": 0, "batch_size": 0, "nope": 1}), 422, "invalid_spec")
    assert {p["path"].removeprefix("train.") for p in body["problems"]} == {"epochs", "batch_size", "nope"}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[1]",
        b'"train"',
        b"null",
        b'{"kind": "noop", "step_s": NaN}',
        b'{"kind": "noop", "step_s": -Infinity}',
        b'{"kind": "noop", "steps": 1, "steps": 2}',
        b'{"kind": "noop"} trailing',
        b"\xff\xfe{\x00}\x00",
        b'{"kind": "noop", "steps": ' + b"9" * 5_000 + b"}",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_object_is_refused(ada, text):
    problem(ada.send("POST", "jobs", data=text, content_type="application/json"), 400, "not_json")
    assert ada.get("jobs").json["items"] == []


def test_a_body_of_another_content_type_is_refused(ada):
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""):
        reply = ada.send("POST", "jobs", data=b'{"kind": "noop"}', content_type=media_type)
        assert media_type in problem(reply, 415, "unsupported_media_type")["detail"]
    problem(ada.post("jobs"), 415, "unsupported_media_type")
    reply = ada.send("POST", "jobs/1/cancel", data=b"x", content_type="text/plain")
    problem(reply, 415, "unsupported_media_type")


def test_json_with_a_charset_is_json(ada):
    reply = ada.send("POST", "jobs", data=b'{"kind":"noop"}', content_type="application/json; charset=utf-8")
    assert reply.status_code == 202


def test_a_body_that_is_too_large_is_refused_announced_or_not(ada, settings):
    large = json.dumps({"kind": "noop", "name": "x" * settings.max_body_bytes}).encode()
    problem(ada.send("POST", "jobs", data=large, content_type="application/json"), 413, "payload_too_large")
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    reply = ada.send(
        "POST", "jobs", input_stream=BytesIO(large), content_type="application/json", environ_overrides=chunked
    )
    problem(reply, 413, "payload_too_large")


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "2 times"),
        ("status=done", "status"),
        ("stauts=queued", "Did you mean status"),
        ("name=%00", "name"),
        ("name=" + "x" * 10_000, "name"),
        ("cursor=nonsense", "cursor"),
        ("cursor=WyJqb2JzIiwgLTFd", "cursor"),
        ("cursor=" + "WyJtZXRyaWNzIiwgImEiLCAxXQ", "cursor"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(ada, query, word):
    body = problem(ada.get(f"jobs?{query}"), 400, "invalid_request")
    assert word in body["detail"]
    assert len(body["detail"]) < 1_000


@pytest.mark.parametrize(
    "path",
    ["events?after=-1", "metrics?after=9223372036854775808", "logs?limit=0", "metrics?max_points=1", "stream?x=1"],
)
def test_a_query_about_a_job_that_makes_no_sense_is_refused(ada, submit_noop, path):
    problem(ada.get(f"jobs/{submit_noop()}/{path}"), 400, "invalid_request")


def test_numbers_at_the_edge_of_the_database_are_taken(ada, submit_noop):
    job_id = submit_noop()
    assert ada.get(f"jobs/{job_id}/metrics?after=9223372036854775807").json["items"] == []
    for path in ("events", "logs"):
        assert ada.get(f"jobs/{job_id}/{path}?after=2147483647").json["items"] == []
        problem(ada.get(f"jobs/{job_id}/{path}?after=2147483648"), 400, "invalid_request")


@pytest.mark.parametrize("job_id", ["999", "2147483647", "2147483648", "9" * 40, "-1", "one", "1.0"])
def test_a_job_that_does_not_exist_is_not_found(ada, job_id):
    problem(ada.get(f"jobs/{job_id}"), 404, "not_found")


def test_an_address_or_a_method_that_does_not_exist_is_a_problem(ada):
    assert "/openapi.json" in problem(ada.get("nothing/here"), 404, "not_found")["detail"]
    reply = ada.send("DELETE", "jobs")
    assert "GET" in problem(reply, 405, "method_not_allowed")["detail"]
    assert "POST" in reply.headers["Allow"]


def test_test_kinds_are_unknown_without_test_settings(make_app, member):
    reply = Caller(make_app(test_kinds=False), member.token).post("jobs", {"kind": "noop"})
    assert problem(reply, 422, "invalid_spec")["problems"][0]["path"] == "kind"


def test_an_error_of_the_servers_own_is_a_problem_and_its_traceback_is_logged(app, caplog):
    def crash():
        raise RuntimeError("secret detail")

    app.testing = True
    app.add_url_rule("/crash", view_func=crash)
    reply = Caller(app).get("/crash")
    body = problem(reply, 500, "internal_error")
    assert "secret" not in reply.text
    logged = [r for r in caplog.records if "request.crashed" in r.getMessage()]
    assert body["request_id"] in logged[0].getMessage()
    assert "secret detail" in str(logged[0].exc_info[1])
