"""The versions of people's own datasets: make, list, show, look into, delete."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import read_query
from api.auth import require_person
from api.dataset_bodies import NewVersion, NewVersionQuery, OwnerQuery, VersionsQuery, version_of_query
from api.files import ETAG, RANGE
from api.idempotent import KEY
from api.making_sets import make_version, read_asked
from api.openapi import describe
from api.paging import cut_page, make_cursor, read_cursor
from api.replies import json_reply, list_reply
from api.routes import PREFIX
from api.set_files import send_file
from api.set_shapes import SHEET, sheet_name
from api.trail import note
from api.transactions import reading
from api.upload_ends import ARCHIVES
from api.visible import viewer
from api.visible_sets import changeable_set, shown_versions, visible_set, visible_version
from api.yard import the_yard
from records import versions
from records.access import Viewer
from records.image_sets import find_set, list_versions
from records.intake import IntakeReport, Manifest
from records.intakes import MANIFEST, REPORT

set_versions = APIBlueprint("set_versions", __name__, url_prefix=f"{PREFIX}/datasets/<name>/versions")

_UNCHANGED = {206: "The range asked for.", 304: "The bytes are those that one has."}


@set_versions.post("")
@describe(
    set_versions,
    reply=views.DatasetVersion,
    status=202,
    query=NewVersionQuery,
    body="NewVersion",
    errors=(400, 404, 409, 413, 415, 422),
    headers=[KEY],
    streams=ARCHIVES,
)
def add_version(name: str) -> Response:
    """Add images to a dataset

    They come with those of its newest ready version, of `parent`, or with `replace` alone. The body is JSON that names
    an upload, or the archive itself, with the options in the query. A version is `checking` until a worker has looked
    at every image; then `ready`, or `refused` with a report.
    """
    yard, person = the_yard(), require_person()
    with yard.database.read() as session:
        found = find_set(session, name, Viewer(person.id))
    asked, whole = read_asked(NewVersion, NewVersionQuery, version_of_query)
    return make_version(
        asked,
        whole,
        lambda session: versions.begin_version(
            session,
            found,
            person_id=person.id,
            source=asked.source,
            parent=asked.base,
            options=asked.options,
            at=yard.clock(),
        ),
    )


@set_versions.get("")
@describe(set_versions, reply=views.page_of(views.DatasetVersion), query=VersionsQuery, errors=(404,))
def list_all_versions(name: str) -> Response:
    """List the versions of a dataset, the newest first"""
    query = read_query(VersionsQuery)
    below = read_cursor("versions", query.cursor, int)[0] if query.cursor else None
    with reading() as session:
        found = visible_set(session, name, query.owner)
        rows = list_versions(session, found.row.id, below=below, limit=query.limit + 1)
        page, last = cut_page(rows, query.limit)
        items = shown_versions(session, found, page)
    return list_reply(items, make_cursor("versions", last.number) if last else None)


@set_versions.get("/<number:number>")
@describe(set_versions, reply=views.DatasetVersion, query=OwnerQuery, errors=(404,))
def show_version(name: str, number: int) -> Response:
    """Show a version of a dataset

    While it is checked, `progress` says how far that is.
    """
    with reading() as session:
        found, version = visible_version(session, name, number, read_query(OwnerQuery).owner)
        return json_reply(shown_versions(session, found, [version])[0])


@set_versions.delete("/<number:number>")
@describe(set_versions, reply=None, status=204, query=OwnerQuery, errors=(403, 404, 409))
def delete_version(name: str, number: int) -> Response:
    """Delete a version of a dataset

    One that a job was trained on stays: 409 lists the jobs. One that is being checked is given up.
    """
    yard, owner = the_yard(), read_query(OwnerQuery).owner
    with yard.database.write() as session:
        found = changeable_set(session, name, owner)
        versions.delete_version(session, found, number, viewer=viewer(), at=yard.clock())
        note(session, "dataset.version_deleted", f"dataset {found.ref}@{number}")
    return Response(status=204)


@set_versions.get("/<number:number>/report")
@describe(set_versions, reply=IntakeReport, query=OwnerQuery, errors=(404, 416), also=_UNCHANGED, headers=[RANGE, ETAG])
def show_report(name: str, number: int) -> Response:
    """What was found in an upload

    Classes, sizes, problems by file, duplicates, leakage between splits, and what to look at. A refused version has one
    too, if it could be read at all.
    """
    return send_file(name, number, read_query(OwnerQuery).owner, file=REPORT, media_type="application/json")


@set_versions.get("/<number:number>/manifest")
@describe(set_versions, reply=Manifest, query=OwnerQuery, errors=(404, 416), also=_UNCHANGED, headers=[RANGE, ETAG])
def show_manifest(name: str, number: int) -> Response:
    """Every image of a version

    The SHA-256 of these bytes is the version's content hash, and the ETag.
    """
    return send_file(name, number, read_query(OwnerQuery).owner, file=MANIFEST, media_type="application/json")


@set_versions.get("/<number:number>/sheet")
@describe(set_versions, reply="image/png", query=OwnerQuery, errors=(404, 416), also=_UNCHANGED, headers=[RANGE, ETAG])
def show_sheet(name: str, number: int) -> Response:
    """A picture with samples of each class"""
    return send_file(name, number, read_query(OwnerQuery).owner, file=SHEET, media_type="image/png")


@set_versions.get("/<number:number>/sheets/<number:class_index>")
@describe(set_versions, reply="image/png", query=OwnerQuery, errors=(404, 416), also=_UNCHANGED, headers=[RANGE, ETAG])
def show_class_sheet(name: str, number: int, class_index: int) -> Response:
    """A picture with samples of one class, by its place in the list of classes from 0"""
    owner = read_query(OwnerQuery).owner
    return send_file(name, number, owner, file=sheet_name(class_index), media_type="image/png")
