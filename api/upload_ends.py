"""What happens when all bytes of an upload have come; and archives that come in one piece, as the body itself."""

from __future__ import annotations

from contextlib import suppress

from flask import request

from api.auth import require_person
from api.receiving import receive
from api.yard import the_yard
from records import uploads as life
from records.errors import Conflict, InvalidRequest, NotFound, PayloadTooLarge
from records.quotas import Quota, check_bytes
from records.set_tables import UploadTable

ARCHIVES = (
    "application/zip",
    "application/x-zip-compressed",
    "application/x-tar",
    "application/gzip",
    "application/x-gzip",
    "application/x-bzip2",
    "application/x-xz",
    "application/octet-stream",
)
"""Content types of archives. Which it is, the intake finds out from its bytes."""


def make_whole(row: UploadTable) -> str:
    """Check the bytes of an upload that has all of them, store it, and return its SHA-256.

    Raises:
        UploadDamaged: they are not those that were announced; they were dropped.
        Conflict: another request is doing so.
        NotFound: it has been deleted meanwhile.
    """
    yard = the_yard()
    try:
        blob = yard.parts.become_blob(row.id, expected=row.expected_sha256)
    except FileNotFoundError:
        raise Conflict("Another request completes this upload just now. Ask with HEAD whether it is there.") from None
    with yard.database.write() as session:
        is_there = life.complete(session, row.id, blob.sha256, at=yard.clock())
    if not is_there:
        raise NotFound(f"Upload {row.id} has been deleted.")
    return blob.sha256


def receive_archive(name: str) -> tuple[str, str]:
    """Take the body of the present request as a whole upload; its id and SHA-256. If it breaks off, nothing stays.

    Raises:
        PayloadTooLarge: it is larger than the yard takes.
        QuotaReached: the person may not have so many bytes more.
        InvalidRequest: it is empty, or broke off.
    """
    yard, person = the_yard(), require_person()
    length, most = request.content_length, yard.settings.max_upload_bytes
    if length is not None and length > most:
        raise PayloadTooLarge(f"The archive has {length:,} bytes; this yard takes at most {most:,}.")
    with yard.database.write() as session:
        quota = Quota.of(yard.settings)
        row = life.begin_upload(
            session, person.id, name, size_bytes=length or 0, sha256=None, quota=quota, at=yard.clock()
        )
    try:
        row.size_bytes = _receive(row.id, most if length is None else length)
        sha256 = make_whole(row)
        with yard.database.write() as session:
            life.note_size(session, row.id, row.size_bytes)
            check_bytes(session, person.id, 0, quota)
    except BaseException:
        forget_upload(row.id)
        raise
    return row.id, sha256


def forget_upload(upload_id: str) -> None:
    """Drop an upload and what came of it, if it is there."""
    yard = the_yard()
    with suppress(NotFound), yard.database.write() as session:
        life.delete_upload(session, upload_id, None, at=yard.clock())
    yard.parts.delete(upload_id)


def _receive(upload_id: str, most: int) -> int:
    with the_yard().parts.writing(upload_id, 0) as writer:
        if not receive(writer, most=most):
            raise InvalidRequest(
                "The body broke off, and nothing of it is kept. Large archives go better in parts: POST /uploads."
            )
        if not writer.offset:
            raise InvalidRequest("The body is empty. Expected an archive with images.")
        return writer.offset
