"""A job as a stream of server-sent events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from apiflask import APIBlueprint
from flask import Response, request

from api.asking import StreamQuery, read_query
from api.auth import still_known
from api.following import Place, look, read_place, resume
from api.openapi import describe, header_parameter
from api.routes import PREFIX
from api.transactions import reading
from api.visible import visible_stamp
from api.yard import Yard, the_yard
from records.access import sees, viewer_of
from records.reading import job_stamp

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

streams = APIBlueprint("streams", __name__, url_prefix=PREFIX)

LOOK_EVERY_S = 0.5
KEEP_ALIVE_S = 15.0
LONGEST_S = 600.0
"""A stream ends after this, and readers come back by themselves: no thread is held for ever."""
LOOK_ASIDE_EVERY_S = 5.0
"""Between two looks at whether the reader may still see the job: tokens are revoked, and jobs made private."""

LAST_ID = header_parameter("Last-Event-ID", "The id of the last message that one has: the stream goes on behind it.")


@streams.get("/jobs/<job:job_id>/stream")
@describe(streams, reply="text/event-stream", query=StreamQuery, errors=(404,), headers=[LAST_ID])
def stream_job(job_id: int) -> Response:
    """Follow a job as server-sent events

    `job` is the job whenever it has changed; `moved`, `placed` … are its events; `metrics` holds new points; `end`
    comes when the job has finished: close the stream then. `Last-Event-ID` goes on where a broken stream stopped.
    """
    query = read_query(StreamQuery)
    last_id = request.headers.get("Last-Event-ID", "")
    place = read_place(last_id) if last_id else Place(event_id=query.after)
    yard = the_yard()
    with reading() as session:
        visible_stamp(session, job_id)
        if last_id:
            resume(session, job_id, place)
    release = yard.streams.take()
    may_go_on = _still_welcome(job_id)
    response = Response(_messages(yard, job_id, place, may_go_on), content_type="text/event-stream; charset=utf-8")
    response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.call_on_close(release)
    return response


def _still_welcome(job_id: int) -> Callable[[Session], bool]:
    """Asks whether the present reader still gets in, and sees this job."""
    ask = still_known()

    def welcome(session: Session) -> bool:
        person, stamp = ask(session), job_stamp(session, job_id)
        return person is not None and stamp is not None and sees(session, viewer_of(person), stamp)

    return welcome


def _messages(yard: Yard, job_id: int, place: Place, may_go_on: Callable[[Session], bool]) -> Iterator[str]:
    """Look, send, wait; no session is open while it waits."""
    began = said = asked = time.monotonic()
    yield "retry: 2000\n\n"
    while time.monotonic() - began < LONGEST_S:
        with yard.database.read() as session:
            if time.monotonic() - asked >= LOOK_ASIDE_EVERY_S:
                asked = time.monotonic()
                if not may_go_on(session):
                    return
            found = look(session, job_id, place)
        yield from found.messages
        if found.ended:
            return
        if found.messages:
            said = time.monotonic()
        elif time.monotonic() - said >= KEEP_ALIVE_S:
            said = time.monotonic()
            yield ": still here\n\n"
        if not found.more:
            time.sleep(LOOK_EVERY_S)
