"""What a worker does every few seconds besides its attempts: a sign of life, the sweep, and ringing again."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import NamedTuple

from records.clock import utc_now
from records.errors import NotAvailable, SchemaNewer
from records.intakes import is_waiting
from records.predictions import sweep_predictions
from records.queue import ring_attempts, ring_predictions, ring_schedule
from records.retention import Policy, retain_if_due
from records.schedule import take_snapshot
from records.schema import check_head
from records.sweep import Swept, sweep
from records.workers import DRAINING, ONLINE, note_worker
from worker.leftovers import sweep_blobs, sweep_uploads
from worker.workplace import Workplace

log = logging.getLogger("trainyard.housekeeping")

UNHEARD_S = 2.0
"""An attempt that was placed, or a prediction that was asked so long ago and not claimed is rung again, in seconds."""


class Housekeeping:
    """A thread that outlives outages of the database and of the broker; use it as a context.

    Args:
        place: the worker.
        on_waiting: called when a dataset waits to be checked, whose bell may be lost.
    """

    def __init__(self, place: Workplace, *, on_waiting: Callable[[], None]) -> None:
        self._place = place
        self._on_waiting = on_waiting
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="housekeeping", daemon=True)

    def __enter__(self) -> Housekeeping:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        failing = False
        while not self._closing.is_set():
            try:
                keep_house(self._place, self._on_waiting)
                failing = False
            except Exception as error:
                if not failing:
                    log.warning("house.not_kept error=%s", error)
                failing = True
            self._closing.wait(self._place.settings.sweep_s)


def keep_house(place: Workplace, on_waiting: Callable[[], None]) -> None:
    """Do it once. Raises what the database raises when it is out."""
    if not _may_go_on(place):
        return
    swept, waits = _write(place)
    if swept.expired_jobs or swept.expired_intakes:
        log.info("house.expired jobs=%s intakes=%s", swept.expired_jobs, swept.expired_intakes)
    if waits.datasets:
        on_waiting()
    ring_attempts(place.bells, swept.unheard)
    if waits.jobs:
        ring_schedule(place.bells)
    if waits.predictions:
        ring_predictions(place.bells)
    sweep_uploads(place.database, place.blobs, swept.expired_uploads)
    sweep_blobs(place.database, place.blobs)
    place.predictor.end_if_idle(place.settings.predict_idle_s)


class _Waits(NamedTuple):
    """What waits, so that a bell is worth ringing again."""

    jobs: bool
    datasets: bool
    predictions: bool


def _write(place: Workplace) -> tuple[Swept, _Waits]:
    """Sign, sweep and look in one transaction."""
    at = utc_now()
    silent_s = max(4 * place.settings.sweep_s, 20.0)
    with place.database.write() as session:
        if not note_worker(session, place.row.id, DRAINING if place.draining.is_set() else ONLINE, at=at):
            _stop_superseded(place)
        swept = sweep(session, silent_s=silent_s, unheard_s=UNHEARD_S, at=at)
        retain_if_due(session, Policy.of(place.settings), at=at)
        unheard = sweep_predictions(session, kept_s=place.settings.predict_kept_s, unheard_s=UNHEARD_S, at=at)
        waiting = bool(take_snapshot(session, at=at).waiting)
        return swept, _Waits(jobs=waiting, datasets=is_waiting(session), predictions=unheard)


def _may_go_on(place: Workplace) -> bool:
    """Whether the schema is still this release's. A yard may be upgraded while a worker elsewhere runs on."""
    try:
        check_head(place.database)
    except (SchemaNewer, NotAvailable) as error:
        if not place.draining.is_set():
            log.error("worker.outdated code=%s: %s This worker stops.", error.code, error)
            os.kill(os.getpid(), signal.SIGTERM)
        return False
    return True


def _stop_superseded(place: Workplace) -> None:
    """Two workers of one name would take each other's attempts: the earlier one stops."""
    if not place.draining.is_set():
        log.error("worker.superseded name=%s: another worker of that name is online; this one stops", place.row.name)
        os.kill(os.getpid(), signal.SIGTERM)
