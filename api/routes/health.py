"""Whether the process lives, whether the yard is ready, and which code runs. Open to all: they tell no secret."""

from __future__ import annotations

from importlib.metadata import version

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.openapi import describe
from api.problems import PROBLEM, problem_body
from api.readiness import check_yard, overall
from api.replies import json_reply
from api.yard import the_yard

health = APIBlueprint("health", __name__)


@health.get("/healthz")
@describe(health, reply=views.Alive, public=True)
def is_alive() -> Response:
    """Whether this process answers"""
    return json_reply({"status": "ok"})


@health.get("/readyz")
@describe(health, reply=views.Readiness, public=True, errors=(503,))
def is_ready() -> Response:
    """Whether the yard can do its work

    `degraded` still takes jobs: the broker or every worker is away, or the disk is nearly full.
    """
    checks = check_yard(the_yard())
    status = overall(checks)
    if status != "down":
        return json_reply({"status": status, "checks": checks})
    text = " ".join(check["text"] for check in checks.values() if check["status"] == "down")
    return json_reply(problem_body(503, "not_available", text) | {"checks": checks}, 503, media_type=PROBLEM)


@health.get("/version")
@describe(health, reply=views.Version, public=True)
def show_version() -> Response:
    """Which version runs"""
    return json_reply({"version": version("trainyard")})
