"""Which store of blobs the settings name."""

from __future__ import annotations

from records.blobs import Blobs, FolderBlobs
from records.settings import Settings


def make_blobs(settings: Settings) -> Blobs:
    """A bucket where one is named, else a folder. Connects to nothing yet."""
    if settings.blobs_url is None:
        return FolderBlobs(settings.blob_folder)
    from records.s3_blobs import S3Address, S3Blobs  # takes a while to load, and most yards need it not

    return S3Blobs(S3Address.parse(settings.blobs_url.get_secret_value()), settings.home / "uploads")
