"""Uploads in parts, of any size. HEAD and PATCH are those of the tus 1.0 core protocol (https://tus.io/protocols/
resumable-upload): `Upload-Offset` says how many bytes are there, and a part goes behind them. Making one is plain JSON.
"""

from __future__ import annotations

import re
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from api import views
from api.asking import read_query
from api.auth import require_person
from api.bodies import read_json
from api.dataset_bodies import NewUpload, UploadsQuery
from api.idempotent import KEY, idempotency_key
from api.openapi import describe, header_parameter
from api.receiving import receive
from api.replies import json_reply, list_reply
from api.routes import PREFIX
from api.set_shapes import upload_shape
from api.transactions import reading
from api.upload_ends import make_whole
from api.yard import the_yard
from records import uploads as life
from records.dataset_keys import find_made, remember_made
from records.errors import InvalidRequest, NotAvailable, PayloadTooLarge, UnsupportedMediaType, WrongOffset, shorten
from records.quotas import Quota
from records.set_tables import UploadTable
from records.specs import parse_as

uploads = APIBlueprint("uploads", __name__, url_prefix=PREFIX)

PART = "application/offset+octet-stream"
OFFSET = header_parameter("Upload-Offset", "The byte at which this part begins: what HEAD or the last part answered.")
_NUMBER = re.compile(r"[0-9]{1,18}")
_TUS = {"Tus-Resumable": "1.0.0"}


@uploads.post("/uploads")
@describe(
    uploads,
    reply=views.Upload,
    status=201,
    body="NewUpload",
    errors=(400, 409, 413, 415, 422),
    headers=[KEY],
)
def begin_upload() -> Response:
    """Begin an upload

    Send its parts to the address in Location, then make a dataset of it. What is not touched for a day is dropped.
    """
    raw, body = read_json()
    key, asked = idempotency_key(), parse_as(NewUpload, body)
    _check_room(asked.size_bytes)
    yard, person, is_new = the_yard(), require_person(), True
    with yard.database.write() as session:
        made = find_made(session, person.id, key, b"POST uploads " + raw) if key else None
        if made is not None and made.upload_id is not None:
            row, is_new = life.find_upload(session, made.upload_id, person.id), False
        else:
            row = life.begin_upload(
                session,
                person.id,
                asked.name,
                size_bytes=asked.size_bytes,
                sha256=asked.sha256,
                quota=Quota.of(yard.settings),
                at=yard.clock(),
            )
            if key:
                remember_made(session, person.id, key, b"POST uploads " + raw, at=yard.clock(), upload_id=row.id)
    headers = {"Location": f"{PREFIX}/uploads/{row.id}"} | ({} if is_new else {"Idempotent-Replayed": "true"})
    return _reply(row, 201, headers)


@uploads.get("/uploads")
@describe(uploads, reply=views.page_of(views.Upload), query=UploadsQuery)
def list_uploads() -> Response:
    """List one's own uploads, the newest first

    Those from which a dataset has become ready are gone.
    """
    query, person = read_query(UploadsQuery), require_person()
    with reading() as session:
        rows = life.list_uploads(session, person.id, limit=query.limit)
    return list_reply([upload_shape(row, _offset(row)) for row in rows])


@uploads.get("/uploads/<upload_id>")
@describe(uploads, reply=views.Upload, errors=(404,))
def show_upload(upload_id: str) -> Response:
    """Show an upload

    HEAD gives `Upload-Offset` and `Upload-Length` without a body.
    """
    with reading() as session:
        row = life.find_upload(session, upload_id, require_person().id)
    return _reply(row)


@uploads.patch("/uploads/<upload_id>")
@describe(uploads, reply=None, status=204, errors=(400, 404, 409, 413, 415), headers=[OFFSET], streams=(PART,))
def send_part(upload_id: str) -> Response:
    """Send the next part of an upload

    The body goes behind the bytes that are there; 409 says how many that are, if it begins elsewhere. When the
    connection breaks, what came is kept: ask with HEAD, and go on from there. The last part is answered once all bytes
    are checked.
    """
    yard = the_yard()
    with yard.database.read() as session:
        row = life.find_upload(session, upload_id, require_person().id)
    if request.mimetype != PART:
        came = shorten(repr(request.mimetype)) if request.mimetype else "none"
        raise UnsupportedMediaType(f"Expected a body of content type {PART}, got {came}.")
    offset = _receive(row, _asked_offset())
    with yard.database.write() as session:
        life.touch(session, row.id, at=yard.clock())
    if offset == row.size_bytes:
        make_whole(row)
    return Response(status=204, headers={"Upload-Offset": str(offset), **_TUS})


@uploads.delete("/uploads/<upload_id>")
@describe(uploads, reply=None, status=204, errors=(404, 409))
def delete_upload(upload_id: str) -> Response:
    """Drop an upload"""
    yard, person = the_yard(), require_person()
    with yard.database.write() as session:
        life.delete_upload(session, upload_id, person.id, at=yard.clock())
    yard.parts.delete(upload_id)
    return Response(status=204, headers=_TUS)


def _receive(row: UploadTable, offset: int) -> int:
    """Write the body behind the first `offset` bytes; how many there are then."""
    if row.sha256 is not None:
        raise WrongOffset(row.size_bytes)
    left, length = row.size_bytes - offset, request.content_length
    if left < 0:
        raise WrongOffset(the_yard().parts.size(row.id))
    if length is not None and length > left:
        raise PayloadTooLarge(f"The part has {length:,} bytes, but only {left:,} of the upload are missing from there.")
    with the_yard().parts.writing(row.id, offset) as writer:
        if not receive(writer, most=left):
            raise InvalidRequest(f"The body broke off; {writer.offset:,} bytes of the upload are kept.")
        return writer.offset


def _asked_offset() -> int:
    text = request.headers.get("Upload-Offset", "")
    if not _NUMBER.fullmatch(text):
        raise InvalidRequest(
            f"Expected a header Upload-Offset with a whole number from 0 up, got {shorten(repr(text))}."
        )
    return int(text)


def _check_room(size_bytes: int) -> None:
    settings, free = the_yard().settings, the_yard().blobs.free_bytes()
    if size_bytes > settings.max_upload_bytes:
        raise PayloadTooLarge(
            f"The upload is to have {size_bytes:,} bytes; this yard takes at most {settings.max_upload_bytes:,}."
        )
    if size_bytes > free - settings.min_free_bytes:
        raise NotAvailable(f"The yard's disk has no room for {size_bytes:,} bytes. Ask whoever runs it to free some.")


def _offset(row: UploadTable) -> int:
    return row.size_bytes if row.sha256 is not None else the_yard().parts.size(row.id)


def _reply(row: UploadTable, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    shown: dict[str, Any] = upload_shape(row, _offset(row))
    told = {"Upload-Offset": str(shown["offset"]), "Upload-Length": str(row.size_bytes), "Cache-Control": "no-store"}
    return json_reply(shown, status, headers={**told, **_TUS, **(headers or {})})
