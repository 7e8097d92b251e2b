"""Labelled images: the catalogue's and people's own, their versions, and uploads."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from api.views.base import Reason, View, Visibility
from records.intake import Split, Task
from records.states import VersionStatus


class Fetched(View):
    """When and from where this yard got a dataset."""

    source: str
    at: datetime


class Dataset(View):
    """Labelled images that jobs can train on: of the catalogue, or somebody's own."""

    ref: str
    """Names it in a spec; of one's own the newest ready version, unless `@NUMBER` follows."""
    name: str
    owner: str | None
    """Null in the catalogue."""
    visibility: Visibility
    """Who sees it: its owner, a team, or everybody here."""
    team: str | None
    """Which team."""
    title: str
    status: Literal["ready", "checking", "refused", "empty"]
    """Of its newest version; `empty` when all were deleted."""
    version: int | None
    """The newest ready version, of which the fields below tell; null in the catalogue, and where none is ready."""
    task: Task
    classes: list[str]
    image_shape: tuple[int, int, int] | None
    """Height, width, channels; null where sizes differ."""
    channels: int
    """1 for grey, 3 for colour; 0 where no version is ready."""
    counts: dict[str, int]
    """Images in each split as delivered."""
    sha256: str
    """Empty where no version is ready."""
    licence: str
    source: str
    fetched: Fetched | None
    """Of the catalogue: null until a worker has fetched and verified it, as the first job that needs it does."""
    sheet: str | None
    """Address of the sample sheet, a PNG; null until there is one."""
    created_at: datetime | None
    """Null in the catalogue."""


class Upload(View):
    """Bytes that are sent in parts."""

    id: str
    name: str
    size_bytes: int
    """Of the whole."""
    offset: int
    """How many have come; the next part begins here."""
    sha256: str | None
    """Of the bytes that came, once all have."""
    created_at: datetime
    expires_at: datetime
    """When it is dropped, if nothing more is done with it."""
    address: str
    """Where the parts go."""


class IntakeStand(View):
    """How far the check of a version is."""

    stage: Literal["waiting", "unpacking", "reading", "comparing", "splitting", "writing", "drawing", "storing"]
    done: int
    of: int


class DatasetVersion(View):
    """One version of a dataset. Once it is ready it never changes."""

    ref: str
    """Names it for good in a spec: `anna/ants-bees@2`."""
    dataset: str
    owner: str
    number: int
    status: VersionStatus
    reason: Reason | None
    """Why it was refused."""
    progress: IntakeStand | None
    """While it is checked."""
    parent: int | None
    """The version that it adds to."""
    task: Task
    classes: list[str]
    counts: dict[Split, int]
    """Images in each split that has some."""
    channels: int
    """1 where all are grey, else 3; 0 until it is ready."""
    images: int
    size_bytes: int
    sha256: str | None
    """The content hash: SHA-256 of its manifest."""
    options: dict[str, Any]
    """How it was taken in."""
    upload: str | None
    """Its upload, while that is kept: a refused one can be sent again from it with other options."""
    folder: str | None
    created_at: datetime
    created_by: str
    decided_at: datetime | None
    """When it became ready or was refused."""
    address: str
    report: str | None
    """Address of what was found in it; null where nothing was read yet."""
    manifest: str | None
    sheet: str | None
    """Address of a picture with samples of every class."""
    sheets: list[str | None]
    """Addresses of a picture for each class, in the order of `classes`; null for a class that got no new images."""
