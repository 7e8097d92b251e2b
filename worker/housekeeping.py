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
from records.schema import check_head
from records.snapshots import anybody_waits
from records.sweep import Swept, sweep
from records.tables import DeviceTable
from records.workers import DRAINING, ONLINE, holdings, note_taken, note_worker
from worker.leftovers import sweep_blobs, sweep_uploads
from worker.outsiders import Holding, Taken
from worker.workplace import Workplace

log = logging.getLogger("trainyard.housekeeping")

_WORTH_WRITING_BYTES = 32 << 20
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
    note_outsiders(place)
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


def note_outsiders(place: Workplace) -> None:
    """Write what programs outside the yard hold of this machine's GPUs, where that has changed."""
    with place.database.read() as session:
        found = holdings(session, place.row.id)
    if not found:
        return
    taken = place.outsiders.look({device.number: Holding(pids, lent) for device, pids, lent in found})
    changed = [
        (device.id, taken[device.number])
        for device, _, _ in found
        if device.number in taken and _differs(device, taken[device.number])
    ]
    if changed:
        with place.database.write() as session:
            for device_id, now in changed:
                note_taken(session, device_id, now.memory_bytes, now.takers)


def _differs(device: DeviceTable, now: Taken) -> bool:
    known = [taker["pid"] for taker in device.takers]
    moved = abs(device.taken_bytes - now.memory_bytes) >= _WORTH_WRITING_BYTES
    return moved or known != [taker["pid"] for taker in now.takers]


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
        waits = _Waits(jobs=anybody_waits(session), datasets=is_waiting(session), predictions=unheard)
        return swept, waits


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
