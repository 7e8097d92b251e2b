"""The datasets that jobs can train on: the catalogue's, and people's own. Their versions: `api.routes.set_versions`."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import read_query
from api.auth import require_person
from api.dataset_bodies import DatasetsQuery, NewDataset, NewDatasetQuery, OwnerQuery, dataset_of_query
from api.files import ETAG, RANGE, send_blob
from api.idempotent import KEY
from api.making_sets import make_version, read_asked
from api.openapi import describe
from api.paging import cut_page, make_cursor, read_cursor
from api.replies import json_reply, list_reply
from api.routes import PREFIX
from api.set_files import send_file
from api.set_shapes import SHEET, set_shape
from api.shapes import dataset_shape
from api.trail import note
from api.transactions import reading
from api.upload_ends import ARCHIVES
from api.visible import viewer
from api.visible_sets import changeable_set, is_foreign, visible_set
from api.yard import the_yard
from records import versions
from records.catalogue import CATALOGUE, Dataset
from records.datasets import fetched_datasets
from records.errors import DatasetNotFetched
from records.image_sets import find_version, list_sets
from records.quotas import Quota

datasets = APIBlueprint("datasets", __name__, url_prefix=PREFIX)


@datasets.post("/datasets")
@describe(
    datasets,
    reply=views.DatasetVersion,
    status=202,
    query=NewDatasetQuery,
    body="NewDataset",
    errors=(403, 404, 409, 413, 415, 422),
    headers=[KEY],
    streams=ARCHIVES,
)
def make_dataset() -> Response:
    """Make a dataset of one's own images

    The body is JSON that names an upload, or the archive itself (zip, tar, tar.gz), with the name and the options in
    the query. The reply is its first version: `checking` until a worker has looked at every image; then `ready`, or
    `refused` with a report. What was refused can be sent again from the same upload with other options, for a day.
    """
    yard, person = the_yard(), require_person()

    def check(asked: NewDataset) -> None:
        with yard.database.read() as session:
            versions.check_name(session, person.id, asked.name)

    asked, whole = read_asked(NewDataset, NewDatasetQuery, dataset_of_query, check)
    return make_version(
        asked,
        whole,
        lambda session: versions.begin_set(
            session,
            person.id,
            asked.name,
            source=asked.source,
            options=asked.options,
            quota=Quota.of(yard.settings),
            at=yard.clock(),
        ),
    )


@datasets.get("/datasets")
@describe(datasets, reply=views.page_of(views.Dataset), query=DatasetsQuery)
def list_datasets() -> Response:
    """List the datasets by name: the catalogue's, one's own, and those that others show one"""
    query = read_query(DatasetsQuery)
    past = _past(query.cursor) if query.cursor else ("", 0)
    with reading() as session:
        own = list_sets(session, viewer(), mine=query.mine, past=past, limit=query.limit + 1)
        fetched = fetched_datasets(session)
    shown = {(f.row.name, f.row.id): set_shape(f, foreign=is_foreign(f)) for f in own}
    if not query.mine:  # a dataset of the catalogue stands as number 0 under its name
        shown |= {
            (name, 0): dataset_shape(CATALOGUE[name], fetched.get(name)) for name in CATALOGUE if (name, 0) > past
        }
    page, last = cut_page(sorted(shown), query.limit)
    return list_reply([shown[place] for place in page], make_cursor("datasets", *last) if last else None)


@datasets.get("/datasets/<name>")
@describe(datasets, reply=views.Dataset, query=OwnerQuery, errors=(404,))
def show_dataset(name: str) -> Response:
    """Show a dataset"""
    owner = read_query(OwnerQuery).owner
    with reading() as session:
        if name in CATALOGUE and owner is None:
            return json_reply(dataset_shape(CATALOGUE[name], fetched_datasets(session).get(name)))
        found = visible_set(session, name, owner)
        return json_reply(set_shape(found, foreign=is_foreign(found)))


@datasets.delete("/datasets/<name>")
@describe(datasets, reply=None, status=204, query=OwnerQuery, errors=(403, 404, 409))
def delete_dataset(name: str) -> Response:
    """Delete a dataset with all its versions

    One that a job was trained on stays: 409 lists the jobs.
    """
    yard, owner = the_yard(), read_query(OwnerQuery).owner
    with yard.database.write() as session:
        found = changeable_set(session, name, owner)
        versions.delete_set(session, found, viewer=viewer(), at=yard.clock())
        note(session, "dataset.deleted", f"dataset {found.ref}")
    return Response(status=204)


@datasets.get("/datasets/<name>/sheet")
@describe(
    datasets,
    reply="image/png",
    query=OwnerQuery,
    errors=(404, 416),
    also={206: "The range asked for.", 304: "The picture is the one that one has."},
    headers=[RANGE, ETAG],
)
def show_sheet(name: str) -> Response:
    """A picture with samples of each class"""
    owner = read_query(OwnerQuery).owner
    if name in CATALOGUE and owner is None:
        return _catalogue_sheet(CATALOGUE[name])
    with reading() as session:
        number = find_version(session, visible_set(session, name, owner), None).number
    return send_file(name, number, owner, file=SHEET, media_type="image/png")


def _past(cursor: str) -> tuple[str, int]:
    name, number = read_cursor("datasets", cursor, str, int)
    return name, number


def _catalogue_sheet(dataset: Dataset) -> Response:
    yard = the_yard()
    with reading() as session:
        row = fetched_datasets(session).get(dataset.name)
    if row is None or row.sheet_sha256 is None:
        raise DatasetNotFetched(
            f"No worker of this yard has fetched {dataset.name} yet. Submit a job that trains on it; "
            "the sheet is there once its worker has the images."
        )
    file = yard.blobs.open(row.sheet_sha256)
    size_bytes = file.seek(0, 2)
    file.seek(0)
    return send_blob(
        file,
        name=f"{dataset.name}.png",
        media_type="image/png",
        size_bytes=size_bytes,
        sha256=row.sheet_sha256,
        modified_at=row.fetched_at,
    )
