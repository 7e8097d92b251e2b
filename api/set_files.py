"""Sending the stored files of a version: pictures, report, manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from api.files import send_blob
from api.set_shapes import is_shown
from api.transactions import reading
from api.visible_sets import visible_version
from api.yard import the_yard
from records.errors import NotFound
from records.image_sets import FoundSet, find_file
from records.set_tables import SetVersionTable, VersionFileTable

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def send_file(name: str, number: int, owner: str | None, *, file: str, media_type: str) -> Response:
    """A stored file of a version that the present person may see, with its SHA-256 as ETag.

    Raises:
        NotFound: there is no such version, or it has no such file.
    """
    with reading() as session:
        found, version = visible_version(session, name, number, owner)
        row = shown_file(session, found, version, file)
    return send_blob(
        the_yard().blobs.open(row.sha256),
        name=f"{found.row.name}-{version.number}-{file.replace('/', '-')}",
        media_type=media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        modified_at=version.decided_at or version.created_at,
    )


def shown_file(session: Session, found: FoundSet, version: SetVersionTable, file: str) -> VersionFileTable:
    """The row of a stored file that may be looked at.

    Raises:
        NotFound: there is none; the text says how the version stands.
    """
    row = find_file(session, version.id, file) if is_shown(version, file) else None
    if row is None:
        raise NotFound(f"{found.ref}@{version.number} is {version.status}, and has no {file}.")
    return row
