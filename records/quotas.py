"""What a person's datasets take of the yard, and what they may take. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records.errors import QuotaReached
from records.set_tables import ImageSetTable, SetVersionTable, UploadTable, VersionFileTable
from records.settings import Settings


@dataclass(frozen=True)
class Quota:
    """The most that one person may have."""

    dataset_bytes: int
    datasets: int
    images: int

    @classmethod
    def of(cls, settings: Settings) -> Quota:
        """The one that the settings name."""
        return cls(settings.quota_dataset_bytes, settings.quota_datasets, settings.quota_images)


def used_bytes(session: Session, owner_id: int, *, but_upload: str | None = None) -> int:
    """Bytes of a person's stored files, each counted once, and of their uploads as large as they are to become."""
    files = (
        select(VersionFileTable.sha256, VersionFileTable.size_bytes)
        .join(SetVersionTable, SetVersionTable.id == VersionFileTable.version_id)
        .join(ImageSetTable, ImageSetTable.id == SetVersionTable.set_id)
        .where(ImageSetTable.owner_id == owner_id)
        .distinct()
        .subquery()
    )
    uploads = select(func.sum(UploadTable.size_bytes)).where(UploadTable.owner_id == owner_id)
    if but_upload is not None:
        uploads = uploads.where(UploadTable.id != but_upload)
    return int(session.scalar(select(func.sum(files.c.size_bytes))) or 0) + int(session.scalar(uploads) or 0)


def used_images(session: Session, owner_id: int, *, but_set: int) -> int:
    """Images in a person's other sets, of each its largest version."""
    largest = (
        select(func.max(SetVersionTable.images).label("images"))
        .join(ImageSetTable, ImageSetTable.id == SetVersionTable.set_id)
        .where(ImageSetTable.owner_id == owner_id, ImageSetTable.id != but_set)
        .group_by(ImageSetTable.id)
        .subquery()
    )
    return int(session.scalar(select(func.sum(largest.c.images))) or 0)


def check_bytes(session: Session, owner_id: int, more: int, quota: Quota, *, but_upload: str | None = None) -> None:
    """Whether so many bytes more would be too many.

    Raises:
        QuotaReached: they would.
    """
    used = used_bytes(session, owner_id, but_upload=but_upload)
    if used + more > quota.dataset_bytes:
        raise QuotaReached(
            f"Your datasets and uploads take {used:,} bytes; with {more:,} more they would exceed the "
            f"{quota.dataset_bytes:,} that one person may have. Delete a dataset, a version or an upload."
        )


def check_datasets(session: Session, owner_id: int, quota: Quota) -> None:
    """Whether one set more would be too many.

    Raises:
        QuotaReached: it would.
    """
    count = session.scalar(select(func.count()).where(ImageSetTable.owner_id == owner_id)) or 0
    if count >= quota.datasets:
        raise QuotaReached(f"You have {count} datasets, and may have {quota.datasets}. Delete one first.")


def check_images(session: Session, owner_id: int, images: int, quota: Quota, *, but_set: int) -> None:
    """Whether a version with so many images would make one set too large.

    Raises:
        QuotaReached: it would.
    """
    used = used_images(session, owner_id, but_set=but_set)
    if used + images > quota.images:
        raise QuotaReached(
            f"Your other datasets hold {used:,} images; with the {images:,} of this one they would exceed the "
            f"{quota.images:,} that one person may have. Delete a dataset, or send fewer images."
        )
