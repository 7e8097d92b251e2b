"""Single pictures for jobs that take some: upload, list, show, delete. Style transfer names them in its spec."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import PicturesQuery, read_query
from api.auth import require_person
from api.files import ETAG, PARTS, RANGE, send_kept
from api.images import FIELD, FORM, IMAGE_TYPES, read_images
from api.openapi import describe
from api.paging import cut_page, make_cursor, read_cursor
from api.pictures import MOST_AT_ONCE, picture_shape, rewrite_pictures
from api.replies import json_reply, list_reply
from api.routes import PREFIX
from api.taking import takes
from api.transactions import reading
from api.visible import owner_filter
from api.yard import the_yard
from records import pictures as life

pictures = APIBlueprint("pictures", __name__, url_prefix=PREFIX)

_FILE = {"type": "string", "format": "binary"}
_FILES = {
    "type": "object",
    "properties": {FIELD: {"type": "array", "items": _FILE, "minItems": 1, "maxItems": MOST_AT_ONCE}},
    "required": [FIELD],
}


@pictures.post("/pictures")
@describe(
    pictures,
    reply=views.page_of(views.Picture),
    status=201,
    body={FORM: _FILES, **dict.fromkeys(IMAGE_TYPES, _FILE)},
    errors=(400, 409, 413, 415, 422),
)
@takes(FORM, *IMAGE_TYPES, most_bytes=lambda settings: settings.max_picture_bytes)
def upload_pictures() -> Response:
    """Upload pictures

    One as the body, or several as files called `images` of a form; `items` are in their order. Each is decoded and
    written anew: upright, on white where it was see-through, without metadata. Where one cannot be taken, none is
    kept. A picture that no job names goes after a day.
    """
    yard, person = the_yard(), require_person()
    settings = yard.settings
    images = read_images(most=MOST_AT_ONCE, most_bytes=settings.max_picture_bytes)
    with yard.database.read() as session:
        life.check_picture_room(session, person.id, len(images), most=settings.quota_pictures)
    made = rewrite_pictures(images)
    with yard.database.write() as session:
        rows = life.add_pictures(session, person.id, made, most=settings.quota_pictures, at=yard.clock())
        shown = [picture_shape(row) for row in rows]
    return json_reply({"items": shown, "next": None}, 201)


@pictures.get("/pictures")
@describe(pictures, reply=views.page_of(views.Picture), query=PicturesQuery)
def list_pictures() -> Response:
    """List one's own pictures, the newest first"""
    query, person = read_query(PicturesQuery), require_person()
    before = read_cursor("pictures", query.cursor, int)[0] if query.cursor else None
    with reading() as session:
        rows = life.list_pictures(session, person.id, before=before, limit=query.limit + 1)
    page, last = cut_page(rows, query.limit)
    return list_reply([picture_shape(row) for row in page], make_cursor("pictures", last.id) if last else None)


@pictures.get("/pictures/<job:picture_id>")
@describe(pictures, reply=views.Picture, errors=(404,))
def show_picture(picture_id: int) -> Response:
    """Show a picture"""
    with reading() as session:
        return json_reply(picture_shape(life.find_picture(session, picture_id, owner_filter())))


@pictures.get("/pictures/<job:picture_id>/file")
@describe(pictures, reply="application/octet-stream", errors=(404, 416), also=PARTS, headers=[RANGE, ETAG])
def download_picture(picture_id: int) -> Response:
    """Download a picture as the yard wrote it"""
    with reading() as session:
        row = life.find_picture(session, picture_id, owner_filter())
    return send_kept(the_yard().blobs, row, modified_at=row.created_at)


@pictures.delete("/pictures/<job:picture_id>")
@describe(pictures, reply=None, status=204, errors=(404, 409))
def delete_picture(picture_id: int) -> Response:
    """Delete a picture

    One that a job names stays for the job's record.
    """
    yard = the_yard()
    with yard.database.write() as session:
        life.delete_picture(session, picture_id, owner_filter(), at=yard.clock())
    return Response(status=204)
