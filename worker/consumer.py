"""Celery's part: hears the bells, and hands each to a thread. The broker may come and go."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery import signals as celery_signals
from celery.exceptions import SecurityWarning
from celery.worker import state

from records.clock import utc_now
from records.database import is_outage
from records.queue import (
    ATTEMPT_TASK,
    INTAKE_QUEUE,
    INTAKE_TASK,
    PREDICT_QUEUE,
    PREDICT_TASK,
    SCHEDULE_QUEUE,
    SCHEDULE_TASK,
    make_celery,
    ring_attempts,
)
from records.rules import Rules
from records.schedule import run_pass
from worker.predictions import answer_waiting
from worker.supervisor import supervise
from worker.workplace import Workplace

log = logging.getLogger("trainyard.consumer")

_SPARE_THREADS = 8
"""For passes of the scheduler, for predictions and for bells that come twice, while every place is taken.

Generous, because with `worker_disable_prefetch` Celery, once every thread has been busy, looks at the queue again only
after up to a second.
"""


def consume(place: Workplace, *, attempts: int, on_intake: Callable[[], None], on_drain: Callable[[], None]) -> None:
    """Hear bells until this process gets SIGTERM or SIGINT, and then until its attempts have ended.

    Must be called in the main thread: it takes both signals, and further ones change nothing.

    Args:
        place: the worker.
        attempts: how many may run at a time.
        on_intake: called when a dataset waits to be checked; must return at once.
        on_drain: called once in a thread of its own when the first signal comes.
    """
    app = make_celery(place.settings, worker=True)
    _add_tasks(app, place, on_intake)
    celery_signals.setup_logging.connect(_keep_our_logging)
    warnings.filterwarnings("ignore", category=SecurityWarning)  # root is dangerous with pickle; we take JSON alone
    worker = _QuietWorker.of(app)(
        hostname=f"trainyard@{place.row.name}",
        pool_cls="threads",
        concurrency=attempts + _SPARE_THREADS,
        queues=[SCHEDULE_QUEUE, INTAKE_QUEUE, PREDICT_QUEUE, place.row.queue],
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    _take_signals(place, on_drain)
    worker.start()


def _add_tasks(app: Celery, place: Workplace, on_intake: Callable[[], None]) -> None:
    passes = Passes(lambda: schedule_once(place))
    predictions = Passes(lambda: answer_waiting(place))

    @app.task(name=SCHEDULE_TASK)  # type: ignore[untyped-decorator]
    def schedule() -> None:
        passes.ring()

    @app.task(name=ATTEMPT_TASK)  # type: ignore[untyped-decorator]
    def attempt(attempt_id: int) -> None:
        supervise(place, attempt_id)

    @app.task(name=INTAKE_TASK)  # type: ignore[untyped-decorator]
    def intake() -> None:
        on_intake()

    @app.task(name=PREDICT_TASK)  # type: ignore[untyped-decorator]
    def predict() -> None:
        predictions.ring()


class Passes:
    """Answers bells with one pass at a time. A bell that comes while another waits for its pass is answered by that.

    Many jobs sent at once ring many bells; without this, each would cost a pass, and the attempts' own bells would
    wait behind them all.
    """

    def __init__(self, run: Callable[[], None]) -> None:
        self._run = run
        self._running = threading.Lock()
        self._waiting = threading.Lock()

    def ring(self) -> None:
        """Return once a pass has begun after this call and ended, or is sure to be run by another thread."""
        if not self._waiting.acquire(blocking=False):
            return
        with self._running:
            self._waiting.release()  # from here on a new bell may stand for news that this pass does not see
            self._run()


def schedule_once(place: Workplace) -> None:
    """One pass of the scheduler; its bells ring only after it has committed."""
    try:
        with place.database.write() as session:
            bells = run_pass(session, Rules.of(place.settings), lease_s=place.settings.lease_s, at=utc_now())
    except Exception as error:
        if not is_outage(error):
            raise
        log.warning("schedule.skipped error=%s", error)  # jobs wait on, so the next sweep asks again
        return
    ring_attempts(place.bells, bells)


def _take_signals(place: Workplace, on_drain: Callable[[], None]) -> None:
    def drain(*_: object) -> None:
        if not place.draining.is_set():
            place.draining.set()
            threading.Thread(target=on_drain, name="drain", daemon=True).start()
        state.should_stop = 0  # Celery looks at it every second, also while it waits for a broker

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, drain)


def _keep_our_logging(**_: Any) -> None:
    """Celery leaves logging alone when somebody listens to this signal."""


class _QuietWorker:
    """Celery's worker without its own handling of signals, for which a second one means: drop everything."""

    @staticmethod
    def of(app: Celery) -> Any:
        class Worker(app.Worker):  # type: ignore[misc]
            def install_platform_tweaks(self, worker: Any) -> None:
                pass

        return Worker
