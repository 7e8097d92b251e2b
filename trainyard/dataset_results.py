"""What the yard answers about people's own datasets, as typed, frozen values; see `trainyard.results`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from trainyard.results import Reason, Result

# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────


class Upload(Result):
    """Bytes that are sent in parts."""

    id: str
    name: str = ""
    size_bytes: int
    offset: int
    """How many have come."""
    sha256: str | None = None
    """Of the bytes that came, once all have."""
    address: str


class CheckProgress(Result):
    """How far the check of a version is."""

    stage: str
    done: int = 0
    of: int = 0


class DatasetVersion(Result):
    """One version of a dataset. Once it is ready it never changes."""

    ref: str
    """Names it for good in a spec: `anna/ants-bees@2`."""
    dataset: str
    owner: str
    number: int
    status: str
    """`checking`, `ready` or `refused`."""
    reason: Reason | None = None
    progress: CheckProgress | None = None
    parent: int | None = None
    task: str = "classification"
    classes: tuple[str, ...] = ()
    counts: dict[str, int] = Field(default_factory=dict)
    channels: int = 0
    images: int = 0
    size_bytes: int = 0
    sha256: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    upload: str | None = None
    """Its upload, while that is kept."""
    folder: str | None = None
    created_at: datetime
    created_by: str = ""
    decided_at: datetime | None = None
    address: str
    report: str | None = None
    manifest: str | None = None
    sheet: str | None = None
    sheets: tuple[str | None, ...] = ()

    @property
    def is_decided(self) -> bool:
        """Whether it is ready or refused."""
        return self.status != "checking"


# ── reports ──────────────────────────────────────────────────────────────────────────────────────────────────


class Problem(Result):
    """What is wrong, or odd, with one file."""

    name: str
    code: str
    text: str
    left_out: bool = True


class Found(Result):
    """What lay in the archive."""

    entries: int = 0
    images: int = 0
    masks: int = 0
    ignored: int = 0
    bytes: int = 0


class ClassCount(Result):
    """Images of one class."""

    name: str
    train: int = 0
    val: int = 0
    test: int = 0
    total: int = 0
    new: int = 0
    pixel_share: float | None = None


class Range(Result):
    """Of widths or heights, in pixels."""

    min: int
    median: float
    max: int


class Sizes(Result):
    """Of the images as they came."""

    width: Range
    height: Range


class Place(Result):
    """An image in a group of duplicates."""

    name: str
    split: str | None = None
    earlier: bool = False
    left_out: bool = False


class Groups(Result):
    """Groups of images that are, or look, the same."""

    count: int = 0
    groups: tuple[tuple[Place, ...], ...] = ()


class DatasetReport(Result):
    """What was found in an upload, what was done to it, and what to look at."""

    task: str = "classification"
    found: Found = Found()
    images: int = 0
    new_images: int = 0
    ready_made_splits: bool = False
    classes: tuple[ClassCount, ...] = ()
    sizes: Sizes | None = None
    formats: dict[str, int] = Field(default_factory=dict)
    problem_counts: dict[str, int] = Field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    more_problems: int = 0
    bad_files: int = 0
    exact_duplicates: Groups = Groups()
    dropped_duplicates: int = 0
    near_duplicates: Groups = Groups()
    leakage: Groups = Groups()
    imbalance: float | None = None
    small_classes: tuple[str, ...] = ()
    conversions: dict[str, int] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
