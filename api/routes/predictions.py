"""Asking a trained model. A worker's predictor answers; this process only waits for it."""

from __future__ import annotations

import time

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import PredictQuery, read_query
from api.auth import require_person
from api.images import FIELD, FORM, IMAGE_TYPES, read_images
from api.openapi import describe
from api.replies import json_reply
from api.routes import PREFIX
from api.shapes import prediction_shape
from api.taking import takes
from api.transactions import reading
from api.visible import owner_filter, visible_stamp
from api.yard import Yard, the_yard
from ml.inspections.models import check_predicts
from records.errors import FieldProblem, PredictionFailed, UnreadableImages
from records.lookup import YardLibrary
from records.predictions import DONE, FAILED, AskedImage, ask, check_room, is_open, read_prediction
from records.questions import Options
from records.queue import ring_predictions
from records.tables import PredictionTable

predictions = APIBlueprint("predictions", __name__, url_prefix=PREFIX)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.004, 0.1
"""Between two looks at the row of a prediction that is waited for."""
_FILE = {"type": "string", "format": "binary"}
_FILES = {
    "type": "object",
    "properties": {FIELD: {"type": "array", "items": _FILE, "minItems": 1}},
    "required": [FIELD],
}


@predictions.post("/jobs/<job:job_id>/predict")
@describe(
    predictions,
    reply=views.Prediction,
    query=PredictQuery,
    body={FORM: _FILES, **dict.fromkeys(IMAGE_TYPES, _FILE)},
    errors=(404, 409, 413, 415, 422),
    also={202: "No answer yet: `Location` is where it will be. The body is the prediction as it stands."},
)
@takes(FORM, *IMAGE_TYPES, most_bytes=lambda settings: settings.predict_body_bytes)
def predict(job_id: int) -> Response:
    """Ask a trained model what is on images

    One image as the body, or many as files called `images` of a form. A worker answers, mostly at once; an image that
    cannot be read has its problem beside the others' classes. Asking again does no harm.
    """
    query = read_query(PredictQuery)
    yard = the_yard()
    prediction_id = _ask(yard, job_id, query)
    ring_predictions(yard.celery)
    longest_s = yard.settings.predict_wait_s
    _await_answer(yard, prediction_id, longest_s if query.wait_s is None else min(query.wait_s, longest_s))
    with yard.database.read() as session:
        row = read_prediction(session, prediction_id)
    if row.status == FAILED:
        raise PredictionFailed(row.reason_text or "", code=row.reason_code or PredictionFailed.code)
    _check_readable(row)
    if row.status == DONE:
        return json_reply(prediction_shape(row))
    headers = {"Location": f"{PREFIX}/predictions/{row.id}", "Retry-After": "1"}
    return json_reply(prediction_shape(row), 202, headers=headers)


@predictions.get("/predictions/<job:prediction_id>")
@describe(predictions, reply=views.Prediction, errors=(404,))
def show_prediction(prediction_id: int) -> Response:
    """Show a prediction

    Its images are forgotten once it is answered, and all of it after a while.
    """
    with reading() as session:
        return json_reply(prediction_shape(read_prediction(session, prediction_id, owner_id=owner_filter())))


def _ask(yard: Yard, job_id: int, query: PredictQuery) -> int:
    """Store the images and the question; the id of the prediction."""
    person, most_open = require_person(), yard.settings.predict_open
    with yard.database.read() as session:
        visible_stamp(session, job_id)
        check_predicts(YardLibrary(session).run(job_id), query.weights, pixels=True)
        check_room(session, person.id, most_open=most_open)
    settings = yard.settings
    sent = read_images(most=settings.predict_images, most_bytes=settings.predict_image_bytes)
    images = [AskedImage(image.name, yard.blobs.put_passing(image.bytes).sha256) for image in sent]
    with yard.database.write() as session:
        return ask(
            session,
            owner_id=person.id,
            job_id=job_id,
            options=Options(weights=query.weights, top=query.top, invert=query.invert),
            images=images,
            most_open=most_open,
            at=yard.clock(),
        )


def _await_answer(yard: Yard, prediction_id: int, wait_s: float) -> None:
    """Return when there is an answer, or the time is up, or too many wait already. No session is open meanwhile."""
    release = yard.waits.take_free() if wait_s > 0 else None
    if release is None:
        return
    try:
        deadline, pause_s = time.monotonic() + wait_s, FIRST_PAUSE_S
        while time.monotonic() < deadline:
            time.sleep(pause_s)
            pause_s = min(1.2 * pause_s, LONGEST_PAUSE_S)
            with yard.database.read() as session:
                if not is_open(session, prediction_id):
                    return
    finally:
        release()


def _check_readable(row: PredictionTable) -> None:
    """Of images that can all not be read there is nothing to tell.

    Raises:
        UnreadableImages: it is so.
    """
    images = (row.result or {}).get("images", [])
    problems = [FieldProblem(image["name"], image["problem"]["text"]) for image in images if image["problem"]]
    if problems and len(problems) == len(images):
        raise UnreadableImages(problems)
