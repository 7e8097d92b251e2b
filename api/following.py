"""Following a job: what is new since the last look, as server-sent events.

Each look is one short read of the database; nothing is held while a stream waits. Messages:

    event: job       the job's JSON, whenever it has changed
    event: KIND      a job event (`moved`, `placed` …); the SSE id is the event's id
    event: metrics   {"items": […]}: new points. The SSE id is the last event's id, a dot, and where each metric stands
    event: end       {"status": …}: the job has finished, and everything before it was sent

Sending `Last-Event-ID` back loses nothing. A point may come twice, and replaces the earlier one of its name and step:
after an id without a metrics part, points of the last `OVERLAP` before that event come again.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from api.conditional import job_etag
from api.paging import LARGEST_ID
from api.replies import dumps
from api.shapes import event_shape, point_shape
from api.visible import shown_job
from records.errors import InvalidRequest, NotFound, shorten
from records.reading import event_time, job_stamp, read_events, read_metric_ends, read_metric_tail
from records.runs import Point, read_metrics_thinned
from records.states import FINISHED

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

OVERLAP = timedelta(seconds=60)
_EVENTS_A_LOOK = 500
_POINTS_A_LOOK = 2_000
_HISTORY_POINTS = 1_000
_LONGEST_ID = 3_000
"""Characters of an SSE id: it comes back in a header, and servers take some 8,000 there."""


@dataclass
class Place:
    """How far one stream has come."""

    event_id: int = 0
    steps: dict[str, int] | None = None
    """The last step sent of each metric; None before the first look, which then sends the (thinned) history."""
    attempt: int | None = None
    """The attempt that wrote them. A later one goes back to its checkpoint and writes the steps behind it again."""
    since: datetime | None = None
    """Points written before this are known to the reader."""
    etag: str = ""

    def metrics_id(self) -> str:
        """The SSE id that leads back to this place."""
        state = json.dumps([self.attempt, self.steps], separators=(",", ":")).encode()
        whole = f"{self.event_id}.{base64.urlsafe_b64encode(state).decode().rstrip('=')}"
        return whole if len(whole) <= _LONGEST_ID else str(self.event_id)


@dataclass
class Look:
    """What one look found."""

    messages: list[str] = field(default_factory=list)
    more: bool = False
    """Whether there is more to send at once."""
    ended: bool = False


def read_place(last_id: str) -> Place:
    """The place that an SSE id leads back to.

    Raises:
        InvalidRequest: it is no id of such a stream.
    """
    number, _, state = last_id.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) <= 10 and int(number) <= LARGEST_ID):
        raise _no_id(last_id)
    if not state:
        return Place(event_id=int(number), steps={})
    try:
        attempt, steps = json.loads(base64.b64decode(state + "=" * (-len(state) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _no_id(last_id) from None
    if not (attempt is None or type(attempt) is int) or not _are_steps(steps):
        raise _no_id(last_id)
    return Place(event_id=int(number), steps=steps, attempt=attempt)


def resume(session: Session, job_id: int, place: Place) -> None:
    """Set from when on points must come again, for a place whose id did not say where the metrics stood."""
    if place.event_id and place.steps == {} and place.attempt is None:
        at = event_time(session, job_id, place.event_id)
        place.since = at - OVERLAP if at else None


def look(session: Session, job_id: int, place: Place) -> Look:
    """What is new at a job since `place`, which moves on.

    The stamp is read first: when it says that the job has finished, all that happened before is there to be read.
    """
    stamp = job_stamp(session, job_id)
    if stamp is None:
        raise NotFound(f"There is no job {job_id} that you can see.")
    found = Look()
    etag = job_etag(stamp)
    job = shown_job(session, job_id) if etag != place.etag else None
    if job is not None:
        _note_attempt(place, job["attempts"])
        place.etag = etag
    _look_at_metrics(session, job_id, place, found)
    _look_at_events(session, job_id, place, found)
    if job is not None:
        found.messages.append(message("job", dumps(job)))
    found.ended = stamp.status in FINISHED and not found.more
    if found.ended:
        found.messages.append(message("end", dumps({"status": stamp.status})))
    return found


def message(event: str, data: str, message_id: str | None = None) -> str:
    """One server-sent event; `data` is one line."""
    head = f"event: {event}\n" if message_id is None else f"id: {message_id}\nevent: {event}\n"
    return f"{head}data: {data}\n\n"


def _look_at_events(session: Session, job_id: int, place: Place, found: Look) -> None:
    rows = read_events(session, job_id, after=place.event_id, limit=_EVENTS_A_LOOK)
    for row in rows:
        found.messages.append(message(row.kind, dumps(event_shape(row)), str(row.id)))
        place.event_id = row.id
    found.more |= len(rows) == _EVENTS_A_LOOK


def _look_at_metrics(session: Session, job_id: int, place: Place, found: Look) -> None:
    ends = read_metric_ends(session, job_id)
    points = _history(session, job_id, ends) if place.steps is None else _tail(session, job_id, place, found, ends)
    place.steps = {**(place.steps or {}), **(ends if place.steps is None else {})}
    for point in points:
        place.steps[point.name] = max(point.step, place.steps.get(point.name, -1))
    for start in range(0, len(points), _POINTS_A_LOOK):
        body = dumps({"items": [point_shape(p) for p in points[start : start + _POINTS_A_LOOK]]})
        found.messages.append(message("metrics", body, place.metrics_id()))


def _history(session: Session, job_id: int, ends: dict[str, int]) -> list[Point]:
    """What a new reader must know, thinned, with the last point of each metric in any case."""
    points: dict[tuple[str, int], Point] = {}
    for name, last in ends.items():
        thinned = read_metrics_thinned(session, job_id, name, max_points=_HISTORY_POINTS)
        tail = read_metric_tail(session, job_id, name, after=last - 1, since=None, limit=1)
        points |= {(p.name, p.step): p for p in (*thinned, *tail) if p.step <= last}
    return list(points.values())


def _tail(session: Session, job_id: int, place: Place, found: Look, ends: dict[str, int]) -> list[Point]:
    points: list[Point] = []
    steps = place.steps or {}
    for name, last in ends.items():
        after = steps.get(name, -1)
        if last > after:
            new = read_metric_tail(session, job_id, name, after=after, since=place.since, limit=_POINTS_A_LOOK)
            found.more |= len(new) == _POINTS_A_LOOK
            points += new
    return points


def _note_attempt(place: Place, attempts: Sequence[dict[str, Any]]) -> None:
    """When a later attempt has begun, be ready for steps that were sent already to be written again by it."""
    begun = [attempt for attempt in attempts if attempt["started_at"] is not None]
    if not begun:
        return
    newest = begun[-1]
    if place.attempt is not None and newest["number"] > place.attempt and place.steps is not None:
        place.steps = {}
        place.since = datetime.fromisoformat(newest["started_at"])
    place.attempt = newest["number"]


def _are_steps(steps: object) -> bool:
    return isinstance(steps, dict) and all(type(s) is int and -1 <= s < 2**63 for s in steps.values())


def _no_id(last_id: str) -> InvalidRequest:
    return InvalidRequest(
        f"Last-Event-ID {shorten(repr(last_id))} is not one of this stream. Leave it out to begin anew."
    )
