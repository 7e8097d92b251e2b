"""The datasets that jobs can train on."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.files import send_blob
from api.openapi import describe
from api.replies import json_reply, list_reply
from api.routes import PREFIX
from api.shapes import dataset_shape
from api.transactions import reading
from api.yard import the_yard
from records.catalogue import CATALOGUE, find_dataset
from records.datasets import fetched_datasets
from records.errors import DatasetNotFetched

datasets = APIBlueprint("datasets", __name__, url_prefix=PREFIX)


@datasets.get("/datasets")
@describe(datasets, reply=views.page_of(views.Dataset))
def list_datasets() -> Response:
    """List the datasets by name"""
    with reading() as session:
        fetched = fetched_datasets(session)
    return list_reply([dataset_shape(CATALOGUE[name], fetched.get(name)) for name in sorted(CATALOGUE)])


@datasets.get("/datasets/<name>")
@describe(datasets, reply=views.Dataset, errors=(404,))
def show_dataset(name: str) -> Response:
    """Show a dataset"""
    dataset = find_dataset(name)
    with reading() as session:
        return json_reply(dataset_shape(dataset, fetched_datasets(session).get(name)))


@datasets.get("/datasets/<name>/sheet")
@describe(datasets, reply="image/png", errors=(404,), also={304: "The picture is the one that one has."})
def show_sheet(name: str) -> Response:
    """A picture with samples of each class"""
    yard, dataset = the_yard(), find_dataset(name)
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
