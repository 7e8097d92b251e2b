"""Registered models, their versions and aliases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.views.base import View, Visibility


class ModelFile(View):
    """A file of a version, kept for as long as the version is there."""

    name: str
    kind: str
    media_type: str
    size_bytes: int
    sha256: str


class ModelAlias(View):
    """A name for one version of a registered model, which can be moved to another."""

    name: str
    version: int
    etag: str
    """For If-Match, when it is moved."""


class ModelVersion(View):
    """A run's result under a number. It never changes."""

    model: str
    owner: str
    number: int
    ref: str
    """Names this version for good: `OWNER/NAME@NUMBER`."""
    job_id: int
    artifact: str
    """The file that it stands for."""
    files: list[ModelFile]
    metrics: dict[str, Any]
    """The run's summary when it was registered."""
    note: str | None
    aliases: list[str]
    """That point at it."""
    created_by: str
    """`user:NAME`."""
    created_at: datetime


class RegisteredModel(View):
    """A name under which results of runs are numbered."""

    name: str
    owner: str
    visibility: Visibility
    team: str | None
    newest: int | None
    """The highest number that is there."""
    versions: int
    """How many there are."""
    aliases: list[ModelAlias]
    metrics: dict[str, Any]
    """Of the newest version."""
    created_at: datetime


class AliasMove(View):
    """Where an alias pointed, from when on, and who moved it there."""

    alias: str
    from_version: int | None
    """Null where it was new."""
    to_version: int | None
    """Null where it was taken away."""
    actor: str
    at: datetime


class FullModel(View):
    """A registered model with its versions, the newest first, and the moves of its aliases, the newest first."""

    name: str
    owner: str
    visibility: Visibility
    team: str | None
    versions: list[ModelVersion]
    aliases: list[ModelAlias]
    moves: list[AliasMove]
    created_at: datetime
