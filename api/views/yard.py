"""The yard itself: devices, queue, health, job kinds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.views.base import Reason, View


class Device(View):
    """A GPU or the CPU of a worker's machine."""

    name: str
    kind: Literal["cpu", "gpu"]
    model: str
    memory_bytes: int
    threads: int
    worker: str
    worker_status: Literal["online", "draining"]
    seen_at: datetime
    busy: bool
    job_id: int | None
    """The job that holds it, if one may see that."""


class Waiting(View):
    """A job in the queue."""

    place: int
    """Counted over everybody's jobs."""
    job_id: int
    name: str
    kind: str
    owner: str
    priority: int
    reason: Reason | None
    created_at: datetime


class SpecSchema(View):
    """The JSON Schema of a job kind's spec."""

    kind: str
    title: str
    json_schema: dict[str, Any] = Field(alias="schema")


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
