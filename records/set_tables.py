"""The SQL tables of people's own datasets: sets, their versions, the files of each, and uploads under way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from records.tables import PlainText, Shared, Table


class ImageSetTable(Shared, Table):
    """A person's own dataset: a name, under which versions lie."""

    __tablename__ = "image_sets"
    __table_args__ = (UniqueConstraint("owner_id", "name"), Index("ix_image_sets_name", "name", "id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(63))
    last_number: Mapped[int]
    """Of the newest version that there ever was: a number is never given twice, also when its version is deleted."""
    created_at: Mapped[datetime]


class UploadTable(Table):
    """Bytes that a person sends in parts. Until it is whole, the size of its file says how much has come."""

    __tablename__ = "uploads"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Random, so that nobody can guess it."""
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(PlainText)
    """What the sender calls it, such as the file's name."""
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    """Of the whole."""
    expected_sha256: Mapped[str | None] = mapped_column(String(64))
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    """Its blob, once it is whole."""
    created_at: Mapped[datetime]
    touched_at: Mapped[datetime] = mapped_column(index=True)
    """When something was last sent or done with it; it is swept a day later."""


class SetVersionTable(Table):
    """One version of a set. Only `records.versions` writes `status`; what is ready never changes."""

    __tablename__ = "image_set_versions"
    __table_args__ = (UniqueConstraint("set_id", "number"), Index("ix_image_set_versions_status", "status", "id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    set_id: Mapped[int] = mapped_column(ForeignKey("image_sets.id"))
    number: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    reason_code: Mapped[str | None] = mapped_column(String(50))
    """Why it was refused: a stable code."""
    reason_text: Mapped[str | None] = mapped_column(PlainText)
    parent_number: Mapped[int | None]
    """The version that it adds to. That may be deleted later; its images stay in this one."""
    upload_id: Mapped[str | None] = mapped_column(ForeignKey("uploads.id"), index=True)
    """Where it comes from; NULL once the upload was swept, or for a folder."""
    folder: Mapped[str | None] = mapped_column(PlainText)
    """A folder on a worker's machine, which an administrator named."""
    options: Mapped[dict[str, Any]]
    """`records.intake.IntakeOptions` as JSON."""
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    """When it became ready or was refused."""
    # Its intake:
    tries: Mapped[int]
    """How often a worker took it up. The fencing token of every write of an intake."""
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("workers.id"), index=True)
    lease_expires_at: Mapped[datetime | None] = mapped_column(index=True)
    progress: Mapped[dict[str, Any]]
    """What its intake last said: stage, done, of."""
    # What it holds, once it is ready:
    sha256: Mapped[str | None] = mapped_column(String(64))
    """The content hash: SHA-256 of its manifest."""
    task: Mapped[str] = mapped_column(String(20))
    classes: Mapped[list[str]] = mapped_column(JSON)
    counts: Mapped[dict[str, Any]]
    """Images in each split that has some."""
    channels: Mapped[int]
    images: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    """Of its stored files."""


class VersionFileTable(Table):
    """A stored file of a version: `manifest.json`, `report.json`, `sheet.png`, `sheets/0.png`, `packs/p1-0.zip`."""

    __tablename__ = "image_set_files"
    version_id: Mapped[int] = mapped_column(ForeignKey("image_set_versions.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class JobDatasetTable(Table):
    """A job that names a version in its spec. While the row is there, the version cannot go."""

    __tablename__ = "job_datasets"
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("image_set_versions.id"), primary_key=True, index=True)


class DatasetKeyTable(Table):
    """An Idempotency-Key that a person sent with an upload or a dataset, and what it made."""

    __tablename__ = "dataset_keys"
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    body_sha256: Mapped[str] = mapped_column(String(64))
    upload_id: Mapped[str | None] = mapped_column(ForeignKey("uploads.id"), index=True)
    version_id: Mapped[int | None] = mapped_column(ForeignKey("image_set_versions.id"), index=True)
    created_at: Mapped[datetime]


class DroppedBlobTable(Table):
    """A blob whose row was deleted. A worker deletes its bytes after a rest, if no row names them again."""

    __tablename__ = "dropped_blobs"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    dropped_at: Mapped[datetime]
