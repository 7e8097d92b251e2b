"""The kept files of a job."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.files import ETAG, FILE_NAME, PARTS, RANGE, send_kept
from api.openapi import describe
from api.replies import list_reply
from api.routes import PREFIX
from api.shapes import artifact_shape
from api.transactions import reading
from api.visible import visible_stamp
from api.yard import the_yard
from records import artifacts as kept
from records.errors import NotFound, shorten

artifacts = APIBlueprint("artifacts", __name__, url_prefix=PREFIX)


@artifacts.get("/jobs/<job:job_id>/artifacts")
@describe(artifacts, reply=views.page_of(views.Artifact), errors=(404,))
def list_artifacts(job_id: int) -> Response:
    """List the files that a job kept, by name"""
    with reading() as session:
        visible_stamp(session, job_id)
        rows = kept.list_artifacts(session, job_id)
    return list_reply([artifact_shape(row) for row in rows])


@artifacts.get("/jobs/<job:job_id>/artifacts/<path:name>")
@describe(
    artifacts,
    reply="application/octet-stream",
    errors=(404, 416),
    also=PARTS,
    headers=[RANGE, ETAG],
)
def download_artifact(job_id: int, name: str) -> Response:
    """Download a file that a job kept"""
    yard = the_yard()
    with reading() as session:
        visible_stamp(session, job_id)
        if not FILE_NAME.fullmatch(name):
            raise NotFound(f"Job {job_id} has no artifact {shorten(repr(name))}: names hold neither slashes nor `..`.")
        row = kept.find_artifact(session, job_id, name)
    return send_kept(yard.blobs, row, modified_at=row.created_at)
