"""Health, readiness, headers and the access log."""

from __future__ import annotations

import json
import logging

import pytest
from pydantic import SecretStr

from api.headers import CONTENT_SECURITY_POLICY, request_facts
from records.database import Database
from records.log_output import JsonLines
from tests.api.calling import Caller


def test_a_yard_with_a_worker_is_ready(nobody, hand):
    reply = nobody.get("/readyz")
    assert (reply.status_code, reply.json["status"]) == (200, "ok")
    assert set(reply.json["checks"]) == {"database", "migrations", "workers", "broker", "disk"}


@pytest.mark.parametrize(
    ("changes", "part"), [({"redis_url": None}, "broker"), ({"min_free_bytes": 2**62}, "disk"), ({}, "workers")]
)
def test_a_yard_without_a_part_is_degraded(make_app, changes, part):
    reply = Caller(make_app(**changes)).get("/readyz")
    assert (reply.status_code, reply.json["status"]) == (200, "degraded")
    assert reply.json["checks"][part]["status"] == "degraded"


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/none", "sqlite:////nowhere/yard.sqlite"])
def test_a_yard_without_its_database_is_not_ready(make_app, url, member):
    caller = Caller(make_app(database_url=SecretStr(url)), member.token)
    reply = caller.get("/readyz")
    assert (reply.status_code, reply.content_type) == (503, "application/problem+json")
    assert reply.json["checks"]["database"]["status"] == "down"
    assert caller.get("/healthz").status_code == 200
    asked = caller.get("jobs")
    assert (asked.status_code, asked.json["code"]) == (503, "not_available")
    assert "Retry-After" in asked.headers


def test_a_yard_with_another_schema_is_not_ready(make_app, tmp_path):
    empty = Database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    empty.close()
    reply = Caller(make_app(database_url=SecretStr(f"sqlite:///{tmp_path / 'empty.sqlite'}"))).get("/readyz")
    assert reply.status_code == 503
    assert reply.json["checks"]["migrations"]["status"] == "down"


def test_every_reply_has_safe_headers_and_an_id(ada, nobody, ran):
    for caller, path in (
        (ada, f"jobs/{ran}"),
        (nobody, "me"),
        (nobody, "/nothing"),
        (nobody, "/healthz"),
        (nobody, "/docs"),
    ):
        headers = caller.get(path).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert len(headers["X-Request-Id"]) == 16
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


def test_a_request_id_of_a_proxy_is_kept_and_nonsense_is_not(nobody):
    assert nobody.get("/healthz", X_Request_Id="proxy-7").headers["X-Request-Id"] == "proxy-7"
    for given in ("a b", "x" * 65, "<script>"):
        assert nobody.get("/healthz", X_Request_Id=given).headers["X-Request-Id"] != given


def test_each_request_writes_one_line_that_nobody_can_forge(ada, caplog):
    with caplog.at_level(logging.INFO, "trainyard.access"):
        reply = ada.get("/api/v1/jobs/7%0Ahttp.answered")
    (line,) = [r.getMessage() for r in caplog.records if r.name == "trainyard.access"]
    assert line.startswith("http.answered method=GET path=/api/v1/jobs/7%0Ahttp.answered status=404 ")
    assert "person=ada" in line
    assert f"request_id={reply.headers['X-Request-Id']}" in line
    assert "\n" not in line
    assert "ty_" not in line


def test_the_version_is_told(nobody):
    assert nobody.get("/version").json["version"].count(".") == 2


def test_lines_of_json_tell_the_request_and_the_job_that_it_is_about(ada, ran, caplog, monkeypatch):
    form, seen = JsonLines(request_facts), []
    monkeypatch.setattr(caplog.handler, "emit", lambda record: seen.append(json.loads(form.format(record))))
    with caplog.at_level(logging.INFO):
        made = ada.post("jobs", {"kind": "noop"})
        shown = ada.get(f"jobs/{ran}")
    submitted = next(line for line in seen if line.get("event") == "job.submitted")
    assert (submitted["job_id"], submitted["request_id"]) == (made.json["id"], made.headers["X-Request-Id"])
    answered = seen[-1]
    assert (answered["job_id"], answered["request_id"]) == (ran, shown.headers["X-Request-Id"])
    assert answered["status"] == 200
