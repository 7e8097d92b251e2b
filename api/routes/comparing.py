"""Jobs side by side."""

from __future__ import annotations

import re

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import CompareQuery, read_query
from api.comparing import MOST, compare
from api.openapi import describe
from api.paging import LARGEST_ID
from api.replies import json_reply
from api.routes import PREFIX
from api.transactions import reading
from api.visible import visible_job
from records.errors import InvalidRequest, shorten

comparing = APIBlueprint("comparing", __name__, url_prefix=PREFIX)


@comparing.get("/jobs/compare")
@describe(comparing, reply=views.Comparison, query=CompareQuery, errors=(404,))
def compare_jobs() -> Response:
    """Compare jobs

    What differs in their specs, by dotted path, and the numbers that sum them up, with the best marked.
    """
    ids = read_ids(read_query(CompareQuery).ids)
    with reading() as session:
        return json_reply(compare([visible_job(session, job_id)[1] for job_id in ids]))


def read_ids(text: str) -> list[int]:
    """The numbers of jobs to compare, each once.

    Raises:
        InvalidRequest: they are not two to ten numbers.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(re.fullmatch(r"[0-9]{1,10}", part) and int(part) <= LARGEST_ID for part in parts):
        raise InvalidRequest(f"Expected the numbers of jobs with commas, such as 1,2,3, got {shorten(repr(text))}.")
    ids = list(dict.fromkeys(int(part) for part in parts))
    if not 2 <= len(ids) <= MOST:
        raise InvalidRequest(f"Expected two to {MOST} jobs to compare, got {len(ids)}.")
    return ids
