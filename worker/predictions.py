"""Predictions: claim what waits, have it answered, write the answer. A bell only says that something may wait."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from records.artifacts import find_artifact
from records.clock import utc_now
from records.database import is_outage
from records.errors import JobError, LeaseLost, NotFound, PredictionFailed
from records.orders import OrderedDevice
from records.predictions import PredictionClaim, claim_next, end, give_back, renew
from records.questions import Model, Picture, PredictorOrder, Question, Result, Trouble
from records.settings import Settings
from records.specs.earlier import RECORD, weights_name
from worker.children import ChildSource
from worker.devices import find_cpu, predictor_bytes
from worker.predictor import Predictor
from worker.workplace import Workplace

log = logging.getLogger("trainyard.predictions")


def make_predictor(settings: Settings, children: ChildSource) -> Predictor:
    """The predictor of a worker; its child is not started yet. It is on the CPU: the GPUs are for those who train.

    Its memory is its own: the CPU device lends so much less (`worker.devices.find_devices`).
    """
    cpu = find_cpu(settings.predict_threads or len(os.sched_getaffinity(0)))
    kept_bytes = predictor_bytes(settings.predict_memory_bytes)
    device = OrderedDevice(name=cpu.name, kind=cpu.kind, index=cpu.number, memory_bytes=kept_bytes, threads=cpu.threads)
    order = PredictorOrder(device=device, models=settings.predict_models, image_pixels=settings.predict_image_pixels)
    folder = settings.scratch_folder / "predictor"
    return Predictor(children, order, folder=folder, limit_s=settings.predict_limit_s)


def answer_waiting(place: Workplace) -> None:
    """Answer predictions until none waits."""
    while not place.draining.is_set():
        claimed = _claim(place)
        if claimed is None:
            return
        _carry_out(place, claimed)


class _Draining(Exception):
    """Raised to leave a question when the worker shuts down."""


def _claim(place: Workplace) -> PredictionClaim | None:
    try:
        with place.database.write() as session:
            return claim_next(session, place.row, lease_s=place.settings.lease_s, at=utc_now())
    except Exception as error:
        if not is_outage(error):
            raise
        log.warning("prediction.not_claimed error=%s", error)  # the sweep rings again
        return None


def _carry_out(place: Workplace, claimed: PredictionClaim) -> None:
    began = time.monotonic()
    try:
        outcome = _find_outcome(place, claimed)
        with place.database.write() as session:
            end(session, claimed, outcome, at=utc_now())
        said = outcome.code if isinstance(outcome, Trouble) else "done"
        ms = (time.monotonic() - began) * 1000
        log.info("prediction.ended prediction_id=%s job_id=%s outcome=%s ms=%.1f", *_ids(claimed), said, ms)
    except LeaseLost:
        log.info("prediction.lease_lost prediction_id=%s job_id=%s", *_ids(claimed))
    except _Draining:
        _give_back(place, claimed)
    except Exception as error:
        if not is_outage(error):
            raise
        log.warning("prediction.not_ended prediction_id=%s job_id=%s error=%s", *_ids(claimed), error)


def _find_outcome(place: Workplace, claimed: PredictionClaim) -> Result | Trouble:
    try:
        return _ask(place, claimed)
    except (JobError, NotFound) as error:
        return Trouble(code=error.code, text=error.text)
    except (LeaseLost, _Draining):
        raise
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("prediction.broken prediction_id=%s job_id=%s", *_ids(claimed))
        return Trouble(code=PredictionFailed.code, text=f"The worker itself failed; its log says more. {error!r:.300}")


def _ask(place: Workplace, claimed: PredictionClaim) -> Result | Trouble:
    record, weights = _digests(place, claimed)
    options = claimed.options

    def stage(folder: Path) -> None:
        place.blobs.fetch(record, folder / RECORD)
        place.blobs.fetch(weights, folder / weights_name(options.weights))

    model = Model(job_id=claimed.job_id, key=f"{record[:24]}-{weights[:24]}", files=None, weights=options.weights)
    with TemporaryDirectory(prefix="pictures-", dir=place.settings.scratch_folder) as folder:
        pictures = tuple(
            Picture(name=image.name, path=place.blobs.local(image.sha256, Path(folder))) for image in claimed.images
        )
        question = Question(model=model, pictures=pictures, options=options)
        answer = place.predictor.ask(question, stage=stage, beat=_Beat(place, claimed))
    log.info("predictor.holds models=%d resident_mb=%.0f", len(answer.held), answer.resident_bytes / 1e6)
    if answer.result is not None:
        return answer.result
    return answer.trouble or Trouble(code=PredictionFailed.code, text="The predictor gave no result and no reason.")


def _digests(place: Workplace, claimed: PredictionClaim) -> tuple[str, str]:
    """The SHA-256 of the record and of the weights."""
    with place.database.read() as session:
        record = find_artifact(session, claimed.job_id, RECORD)
        weights = find_artifact(session, claimed.job_id, weights_name(claimed.options.weights))
        return record.sha256, weights.sha256


class _Beat:
    """Renews the lease of a claim every now and then."""

    def __init__(self, place: Workplace, claimed: PredictionClaim) -> None:
        self._place = place
        self._claimed = claimed
        self._renewed_at = time.monotonic()

    def __call__(self) -> None:
        """Called often.

        Raises:
            LeaseLost: the prediction is another's by now.
            _Draining: the worker shuts down.
        """
        if self._place.draining.is_set():
            raise _Draining
        lease_s = self._place.settings.lease_s
        if time.monotonic() - self._renewed_at > lease_s / 3:
            self._renewed_at = time.monotonic()
            with self._place.database.write() as session:
                renew(session, self._claimed, lease_s=lease_s, at=utc_now())


def _give_back(place: Workplace, claimed: PredictionClaim) -> None:
    try:
        with place.database.write() as session:
            give_back(session, claimed)
    except Exception as error:  # its lease will lapse
        log.warning("prediction.not_given_back prediction_id=%s job_id=%s error=%s", *_ids(claimed), error)


def _ids(claimed: PredictionClaim) -> tuple[int, int]:
    return claimed.prediction_id, claimed.job_id
