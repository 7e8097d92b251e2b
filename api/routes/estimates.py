"""What a job would cost, before it is sent; and how right such estimates were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import EstimatesQuery, read_query
from api.auth import require_person
from api.bodies import read_json
from api.openapi import describe
from api.replies import json_reply
from api.routes import PREFIX
from api.shapes import accuracy_shape
from api.visible import owner_filter
from api.yard import the_yard
from ml.estimates import FORM, Cost, Room
from ml.estimates.painting import PaintingCost
from ml.kinds import inspect
from records.errors import FieldProblem, InvalidSpec
from records.estimates import Correction, Pace, find_corrections, find_paces, find_paces_by_work, list_measured
from records.lookup import YardLibrary
from records.reading import show_devices
from records.specs import parse_spec

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

estimates = APIBlueprint("estimates", __name__, url_prefix=PREFIX)


@estimates.post("/estimates")
@describe(estimates, reply=views.FullEstimate, body="Spec", errors=(400, 413, 415, 422))
def estimate_job() -> Response:
    """Tell what a job would cost

    The body is that of `POST /jobs`; nothing is queued. Where similar jobs of this yard have measured their peak, the
    estimate is corrected by them, and says so.
    """
    yard = the_yard()
    _, body = read_json()
    spec = parse_spec(body, test_kinds=yard.settings.test_kinds)
    with yard.database.read() as session:
        cost = inspect(spec, YardLibrary(session, owner_filter(), person_id=require_person().id)).cost
    if cost is None:
        raise InvalidSpec(
            [FieldProblem("kind", f"Expected a kind that can be estimated, such as train, got {spec.kind!r}.")]
        )
    fields = spec.model_dump(mode="json")
    with yard.database.read() as session:
        devices = show_devices(session)
        corrections, paces = _past(session, fields, cost)
    rooms = [
        Room(f"{row.worker.name}/{row.device.name}", _kind(row.device.kind), row.device.memory_bytes) for row in devices
    ]
    return json_reply(_full(cost, rooms, corrections, paces))


@estimates.get("/estimates/accuracy")
@describe(estimates, reply=views.Accuracy, query=EstimatesQuery)
def show_accuracy() -> Response:
    """Compare estimated peaks with measured ones, the newest first

    What was estimated in another way, before the yard was renewed, is left out.
    """
    query = read_query(EstimatesQuery)
    with the_yard().database.read() as session:
        measured = list_measured(session, form=FORM, owner_id=owner_filter(), limit=query.limit)
    return json_reply(accuracy_shape(measured))


def _past(
    session: Session, fields: dict[str, Any], cost: Cost | PaintingCost
) -> tuple[dict[str, Correction], list[Pace]]:
    """What past jobs say of the peak, and of the time."""
    if isinstance(cost, PaintingCost):
        return {}, find_paces_by_work(session, fields["kind"], work=cost.work, alike={"precision": fields["precision"]})
    corrections = find_corrections(session, fields, form=FORM)
    return corrections, find_paces(session, fields, steps_per_epoch=cost.estimate.steps_per_epoch)


def _full(
    cost: Cost | PaintingCost, rooms: list[Room], corrections: dict[str, Correction], paces: list[Pace]
) -> dict[str, Any]:
    shown = cost.estimate.to_json()
    factors = {kind: found.factor for kind, found in corrections.items()}
    for kind, peak in shown["peak"].items():
        found = corrections.get(kind, Correction(1.0, 0))
        for name in ("low_bytes", "likely_bytes", "high_bytes"):
            peak[name] = round(peak[name] * found.factor)
        peak |= {"factor": found.factor, "corrected_by_jobs": found.jobs}
    return {
        **shown,
        "devices": cost.advise(rooms, cast(Any, factors)),
        "epoch": [pace._asdict() for pace in paces],
    }


def _kind(kind: str) -> Any:
    return "gpu" if kind == "gpu" else "cpu"
