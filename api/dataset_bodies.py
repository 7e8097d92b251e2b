"""What may be sent to make an upload, a dataset, or a version of one: JSON bodies, and the same as a query."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from api.asking import Cursor, PlainText, Query
from records.image_sets import NAME_FORM
from records.intake import IntakeOptions, Splits, Task
from records.specs import parse_as
from records.specs.base import Strict
from records.versions import Parent, Source

SetName = Annotated[str, Field(pattern=f"^{NAME_FORM}$")]
UploadId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Number = Annotated[int, Field(ge=1, lt=10**9)]
_SPLITS = frozenset(Splits.model_fields)


class NewUpload(Strict):
    """An upload that is to come in parts."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    """What the sender calls it, such as the file's name."""
    size_bytes: Annotated[int, Field(ge=1, lt=2**62)]
    """Of the whole."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Of the whole: checked when all has come. The reply to the last part has the one that was found."""


class _FromSomewhere(IntakeOptions):
    """Options, and where the images come from."""

    upload: UploadId | None = None
    """A whole upload of one's own."""
    folder: Annotated[str, Field(max_length=1_000, pattern=r"^[^\x00-\x1f\x7f]+$")] | None = None
    """Instead, for administrators: a folder on the worker's machine, below one of TRAINYARD_DATASET_FOLDERS."""

    @model_validator(mode="after")
    def _one_source(self) -> _FromSomewhere:
        if (self.upload is None) == (self.folder is None):
            raise ValueError(
                f"Expected either an upload or a folder, got {'neither' if self.upload is None else 'both'}"
            )
        return self

    @property
    def source(self) -> Source:
        """Where the images come from."""
        return Source(self.upload, self.folder)

    @property
    def options(self) -> dict[str, Any]:
        """How they are taken in, as JSON."""
        return self.model_dump(mode="json", include=set(IntakeOptions.model_fields))


class NewDataset(_FromSomewhere):
    """A dataset of one's own: its name, its images, and how they are taken in."""

    name: SetName


class NewVersion(_FromSomewhere):
    """More images for a dataset, or others."""

    parent: Number | None = None
    """The version that they are added to; the newest ready one when left out."""
    replace: bool = False
    """Add to none: the version holds these images alone."""

    @model_validator(mode="after")
    def _adds_or_replaces(self) -> NewVersion:
        if self.replace and self.parent is not None:
            raise ValueError("Expected either a parent or replace, got both")
        return self

    @property
    def base(self) -> Parent:
        """What the images are added to."""
        return Parent(self.parent, none=self.replace)


class _ArchiveQuery(Query):
    """The options beside an archive that is the body itself."""

    task: Task = "classification"
    """`classification`, or `segmentation` for images with masks."""
    skip_bad: bool = False
    """Accept the set without its bad files."""
    labels: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    """Name of the CSV inside the archive with the columns `file,label`."""
    longest_px: Annotated[int, Field(ge=0, le=16_384)] = 1024
    """Stored images are shrunk to this longest side; 0 keeps their sizes."""
    keep_duplicates: bool = False
    """Keep images with exactly the same content."""
    train: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Share of the images in this split, where the archive brings none."""
    val: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The same for `val`."""
    test: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The same for `test`."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Which images go where follows from it."""


class NewDatasetQuery(_ArchiveQuery):
    """Beside an archive: the name of the dataset, and the options."""

    name: SetName
    """Of the new dataset."""


class NewVersionQuery(_ArchiveQuery):
    """Beside an archive: what its images are added to, and the options."""

    parent: Number | None = None
    """The version that they are added to; the newest ready one when left out."""
    replace: bool = False
    """Add to none."""


class OwnerQuery(Query):
    """Whose dataset is meant."""

    owner: PlainText | None = None
    """Name of its owner; oneself when left out."""


class DatasetsQuery(Query):
    """Which datasets to list."""

    mine: bool = False
    """Only one's own: neither the catalogue, nor what others show one."""
    limit: Annotated[int, Field(ge=1, le=200)] = 200
    """At most so many."""
    cursor: Cursor | None = None
    """`next` of the page before."""


class VersionsQuery(OwnerQuery):
    """Which versions to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """At most so many."""
    cursor: Cursor | None = None
    """`next` of the page before."""


class UploadsQuery(Query):
    """Which uploads to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """At most so many, the newest first."""


def dataset_of_query(query: NewDatasetQuery, upload_id: str) -> NewDataset:
    """The body that a query stands for, once the archive has come.

    Raises:
        InvalidSpec: the options do not go together.
    """
    return parse_as(NewDataset, _as_body(query, upload_id))


def version_of_query(query: NewVersionQuery, upload_id: str) -> NewVersion:
    """The same for a version."""
    return parse_as(NewVersion, _as_body(query, upload_id))


def _as_body(query: _ArchiveQuery, upload_id: str) -> dict[str, Any]:
    fields = query.model_dump(mode="json")
    body = {name: value for name, value in fields.items() if name not in _SPLITS}
    splits = {name: fields[name] for name in _SPLITS}
    return {**body, "splits": splits, "longest_px": fields["longest_px"] or None, "upload": upload_id}
