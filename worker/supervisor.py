"""One attempt, from its claim to its end: claim, stage, start a child, listen, stop it when it must, finish.

The heartbeat writes and renews the lease in its own thread all the while; this one only decides.
"""

from __future__ import annotations

import errno
import logging
import math
import shutil
import signal
import threading
import time
from contextlib import ExitStack
from dataclasses import replace

from records.attempts import Claim, claim
from records.clock import utc_now
from records.database import is_outage
from records.errors import DiskFull, JobError, LeaseLost, OutOfMemory, TrainyardError
from records.orders import Order
from records.placing.reasons import size_words
from records.queue import ring_schedule
from records.retries import Outcome
from worker.advice import memory_advice
from worker.caps import Cap
from worker.cgroup import oom_kills
from worker.children import Child
from worker.endings import StopReason, outcome_of, outcome_when_stopped
from worker.heartbeat import Heartbeat
from worker.inputs import make_order
from worker.listener import Listener
from worker.outsiders import await_gone
from worker.recorder import Recorder
from worker.workplace import Workplace

log = logging.getLogger("trainyard.supervisor")

_LOOK_S = 0.2
_LOOK_AT_THE_END_S = 0.005
_LAST_TRIES_S = 5.0
_GPU_FREED_WITHIN_S = 5.0


def supervise(place: Workplace, attempt_id: int) -> None:
    """Carry out an attempt if it is this worker's to claim; a bell that came late or twice does nothing."""
    if place.draining.is_set():
        return
    claimed = _claim(place, attempt_id)
    if claimed is not None:
        _Supervisor(place, claimed).run()
        ring_schedule(place.bells)


def _claim(place: Workplace, attempt_id: int) -> Claim | None:
    try:
        with place.database.write() as session:
            return claim(session, attempt_id, place.row, lease_s=place.settings.lease_s, at=utc_now())
    except LeaseLost as error:
        log.info("attempt.not_ours attempt_id=%s reason=%s", attempt_id, error)
    except Exception as error:
        if not is_outage(error):
            raise
        log.warning("attempt.not_claimed attempt_id=%s error=%s", attempt_id, error)  # the sweep rings again
    return None


class _Stopped(Exception):
    """Raised to leave the staging when the attempt must stop."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason = reason


class _Supervisor:
    def __init__(self, place: Workplace, claimed: Claim) -> None:
        settings = place.settings
        self._place = place
        self._claim = claimed
        self._began = time.monotonic()
        self._time_limit_s = int(claimed.spec["time_limit_s"])
        self._folder = settings.scratch_folder / f"attempt-{claimed.attempt_id}"
        self._stirred = threading.Event()
        self._recorder = Recorder(place.database, claimed, actor=place.actor, lease_s=settings.lease_s, clock=utc_now)
        self._heartbeat = Heartbeat(self._recorder, flush_s=settings.flush_s, stirred=self._stirred)
        self._listener: Listener | None = None
        self._cap: Cap | None = None

    def run(self) -> None:
        """The whole story. Returns when nothing of the attempt is left on this machine but its records."""
        self._log("attempt.claimed")
        try:
            with self._heartbeat, ExitStack() as held:
                outcome = self._carry_out(held)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._heartbeat.lease_lost:
            self._log("attempt.lease_lost")
        else:
            self._finish(self._advised(outcome))

    def _carry_out(self, held: ExitStack) -> Outcome:
        try:
            order = make_order(
                self._place, self._claim, self._folder, recorder=self._recorder, held=held, check=self._check
            )
            return self._watch(order)
        except _Stopped as stopped:
            return outcome_when_stopped(stopped.reason, time_limit_s=self._time_limit_s)
        except JobError as error:
            return Outcome.failed(error.code, error.text)
        except TrainyardError as error:
            return Outcome.failed("recipe_failed", f"This worker cannot carry out the spec. {error.text}")
        except OSError as error:
            log.exception("attempt.broken job_id=%s attempt_id=%s", self._claim.job_id, self._claim.attempt_id)
            return _outcome_of_system_error(error)
        except Exception as error:
            log.exception("attempt.broken job_id=%s attempt_id=%s", self._claim.job_id, self._claim.attempt_id)
            return Outcome.failed("recipe_failed", f"The worker itself failed; its log says more. {error!r:.500}")

    def _watch(self, order: Order) -> Outcome:
        """Let a child carry out the order, and judge its end. Its whole process group is gone afterwards."""
        kills_before = oom_kills()
        child, warning = self._place.children.start(self._check)
        if warning:
            self._recorder.log(warning, "warning")
        self._recorder.started(child.pid)
        if self._claim.device.kind == "cpu":
            lent = {"memory_bytes": self._claim.memory_bytes, "threads": self._claim.threads}
            self._cap = Cap(child.pid, **lent)
        listener = self._listener = Listener(
            child, order, recorder=self._recorder, blobs=self._place.blobs, stirred=self._stirred
        )
        try:
            stopped = self._await_end(child, listener)
        finally:
            status = child.end()
            listener.join()
            self._await_memory(child.pid)
        self._log("child.ended", pid=child.pid, status=status, stopped=stopped or "-")
        return outcome_of(
            status,
            listener.last_word,
            stopped=stopped,
            not_stored=listener.not_stored,
            oom_killed=oom_kills() > kills_before,
            time_limit_s=self._time_limit_s,
            ran_out=self._cap is not None and self._cap.explains_crash(listener.last_lines),
            cap_words=self._cap_words(),
        )

    def _await_memory(self, pid: int) -> None:
        """Give the lease back only once the GPU's memory is free: the next child may be started at once."""
        device = self._claim.device
        if device.kind == "gpu":
            await_gone(device.number, pid, within_s=_GPU_FREED_WITHIN_S)

    def _cap_words(self) -> str:
        if self._cap is None:
            return ""
        lent, held = size_words(self._cap.memory_bytes), size_words(self._cap.most_bytes)
        return f"It held {held}, and was lent {lent} of {self._claim.device.name}."

    def _await_end(self, child: Child, listener: Listener) -> StopReason | None:
        """Return when the child has ended, or has not within the grace of the reason why it must.

        A reason that presses more than the first shortens the grace: a job that is cancelled while its worker shuts
        down need not write a long checkpoint.
        """
        stopped: StopReason | None = None
        deadline = math.inf
        while child.status() is None and time.monotonic() < deadline:
            reason = self._reason()
            if reason is not None and (stopped is None or _presses_more(reason, stopped)):
                child.signal(signal.SIGTERM)
                stopped, deadline = reason, min(deadline, time.monotonic() + self._grace_s(reason))
            pause = _LOOK_AT_THE_END_S if listener.ended else _LOOK_S
            self._stirred.wait(max(0.0, min(pause, deadline - time.monotonic())))
            self._stirred.clear()
        return stopped

    def _check(self) -> None:
        reason = self._reason()
        if reason is not None:
            raise _Stopped(reason)

    def _reason(self) -> StopReason | None:
        """The most pressing reason to stop now, if there is one."""
        now = time.monotonic()
        reasons = {
            StopReason.LEASE_LOST: self._heartbeat.lease_lost,
            StopReason.NOT_STORED: self._listener is not None and self._listener.not_stored is not None,
            StopReason.CAP: self._cap is not None and self._cap.is_exceeded(),
            StopReason.CANCEL: self._heartbeat.cancel,
            StopReason.TIME_LIMIT: now - self._began > self._time_limit_s,
            StopReason.OUTAGE: now - self._heartbeat.renewed_at > self._place.settings.lease_s,
            StopReason.MAKE_ROOM: self._heartbeat.make_room,
            StopReason.DRAIN: self._place.draining.is_set(),
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    def _grace_s(self, reason: StopReason) -> float:
        match reason:
            case StopReason.LEASE_LOST | StopReason.NOT_STORED | StopReason.CAP:
                return 0.0
            case StopReason.DRAIN | StopReason.MAKE_ROOM:
                return self._place.settings.stop_grace_s
            case _:
                return self._place.settings.cancel_grace_s

    def _finish(self, outcome: Outcome) -> None:
        """Write the end. A finished job is worth waiting for a database that is out; a shutdown is not kept waiting."""
        given_up_at = math.inf
        while True:
            try:
                self._recorder.finish(outcome)
                self._log("attempt.finished", outcome=outcome.status, code=outcome.code or "-")
                return
            except LeaseLost:
                self._log("attempt.lease_lost")
                return
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("attempt.not_finished job_id=%s error=%s", self._claim.job_id, error)
            if self._place.draining.is_set():
                given_up_at = min(given_up_at, time.monotonic() + _LAST_TRIES_S)
            if time.monotonic() > given_up_at:
                return
            time.sleep(min(1.0, self._place.settings.flush_s))

    def _advised(self, outcome: Outcome) -> Outcome:
        """Where memory did not do, with what a person could change."""
        if outcome.code != OutOfMemory.code:
            return outcome
        return replace(outcome, advice=memory_advice(self._place.database, self._claim))

    def _log(self, event: str, **fields: object) -> None:
        told = {"job_id": self._claim.job_id, "attempt": self._claim.number, **fields}
        log.info(event + "".join(f" {name}=%s" for name in told), *told.values())


def _presses_more(reason: StopReason, than: StopReason) -> bool:
    order = list(StopReason)
    return order.index(reason) < order.index(than)


def _outcome_of_system_error(error: OSError) -> Outcome:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Outcome.failed(DiskFull.code, "No room on the worker's disk for the files of this attempt. Free some.")
    return Outcome.failed("child_died", f"The worker could not start a child: {error}.")
