"""The yard itself: health, job kinds, and who asks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.views.base import View


class SpecSchema(View):
    """The JSON Schema of a job kind's spec."""

    kind: str
    title: str
    json_schema: dict[str, Any] = Field(alias="schema")


class Me(View):
    """Who a token stands for."""

    id: int
    name: str
    role: Literal["admin", "member"]


class Check(View):
    """How one part of the yard is."""

    status: Literal["ok", "degraded", "down"]
    text: str


class Readiness(View):
    """How the yard is: `degraded` still takes jobs."""

    status: Literal["ok", "degraded"]
    checks: dict[str, Check]


class Alive(View):
    """The process answers."""

    status: Literal["ok"]


class Version(View):
    """Which code runs."""

    version: str
