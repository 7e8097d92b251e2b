"""What people write on a job: its title, a note, tags."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.auth import require_person
from api.bodies import read_json
from api.changing import edits_expected
from api.conditional import job_etag
from api.openapi import describe, header_parameter
from api.replies import json_reply
from api.routes import PREFIX
from api.trail import note
from api.visible import changeable_job, visible_job
from api.yard import the_yard
from records.editing import JobEdit, edit
from records.specs import parse_as

edits = APIBlueprint("edits", __name__, url_prefix=PREFIX)

IF_MATCH = header_parameter(
    "If-Match",
    "The ETag of the job as one knows it: 412 when somebody has edited it since. Only what people write counts.",
)


@edits.patch("/jobs/<job:job_id>")
@describe(edits, reply=views.Job, body="JobEdit", errors=(400, 403, 404, 412, 413, 415, 422), headers=[IF_MATCH])
def edit_job(job_id: int) -> Response:
    """Change a job's title, note or tags

    What is left out stays as it is; null takes away. `tags` are all tags of the job.
    """
    yard, person = the_yard(), require_person()
    with yard.database.read() as session:
        changeable_job(session, job_id)
    wanted = parse_as(JobEdit, read_json()[1])
    with yard.database.write() as session:
        edit(session, job_id, wanted, expected=edits_expected(), actor=f"user:{person.name}", at=yard.clock())
        note(session, "job.edited", f"job {job_id}", ", ".join(sorted(wanted.model_fields_set)))
    with yard.database.read() as session:
        stamp, job = visible_job(session, job_id)
    return json_reply(job, headers={"ETag": job_etag(stamp)})
