"""Collects what an attempt says, from any thread, and writes it in one guarded transaction a flush."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from records.artifacts import CHECKPOINT, add_artifact, drop_old_checkpoints
from records.attempts import Claim, Directive, finish, guard, note_child
from records.database import Database, is_outage
from records.dropped import drop
from records.errors import LeaseLost
from records.events import Event, Facts, Finished, FirstStep, Log, Metrics, Progress, Stage
from records.jobs import add_event, change
from records.logs import LogLine, write_log
from records.retries import Outcome
from records.runs import note_run, write_metrics
from worker.batch import Batch, Kept

log = logging.getLogger("trainyard.recorder")

MEASURED = {"peak_device_bytes": "peak_bytes", "peak_resident_bytes": "resident_bytes"}
"""Facts that are columns of the attempt too."""


class Recorder:
    """The pen of one attempt.

    Args:
        database: where to write.
        claim: the attempt; every write is guarded by its being open.
        actor: `worker:NAME`.
        lease_s: how far each write extends the lease, in seconds.
        clock: the time, in UTC.
    """

    def __init__(
        self, database: Database, claim: Claim, *, actor: str, lease_s: float, clock: Callable[[], datetime]
    ) -> None:
        self.notable = threading.Event()
        """Set when something came that people should see at once."""
        self._database = database
        self._claim = claim
        self._actor = actor
        self._lease_s = lease_s
        self._clock = clock
        self._lock = threading.Lock()
        self._batch = Batch()
        self._live: dict[str, Any] = {"stage": "starting"}
        self._progress: float | None = None
        self._full = False

    # ── coming in ────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, event: Event) -> None:
        """Note what an event says. Artifacts and checkpoints come through `keep`, once they are stored."""
        match event:
            case Metrics(points=points):
                self._add(Batch(points=list(points)))
            case Progress():
                self._note_progress(event)
            case Log(level=level, text=text):
                self.log(text, level)
            case Stage(stage=stage):
                self.stage(stage)
            case FirstStep(at=at):
                self._add(Batch(child={"first_step_at": at}), notable=True)
            case Facts(facts=facts):
                self._add(Batch(facts=facts, child=measured_columns(facts)))
            case Finished(summary=summary):
                self._add(Batch(summary=summary))
            case _:
                pass

    def log(self, text: str, level: str = "info") -> None:
        """Add a line to the job's log."""
        self._add(Batch(lines=[LogLine(self._clock(), level, text)]))

    def stage(self, stage: str) -> None:
        """Show what the attempt does now."""
        with self._lock:
            self._live = {**self._live, "stage": stage}
        self._add(Batch(live=True), notable=True)

    def started(self, pid: int) -> None:
        """Note the child's process id."""
        self._add(Batch(child={"pid": pid}), notable=True)

    def keep(self, kept: Kept) -> None:
        """Name a file whose bytes are stored."""
        remarks = [("checkpoint", f"Checkpoint at step {kept.step}.")] if kept.kind == CHECKPOINT else []
        self._add(Batch(kept=[kept], remarks=remarks), notable=True)

    def remark(self, kind: str, text: str) -> None:
        """Add to the job's history, and to its log as a warning."""
        self._add(Batch(remarks=[(kind, text)]))
        self.log(text, "warning")

    # ── going out: one thread at a time ──────────────────────────────────────────────────────────────────────

    def flush(self) -> Directive:
        """Write what there is, extend the lease, and learn what the yard asks for.

        What could not be written for an outage is kept for the next time. What the database refuses is dropped,
        and the job's log says so: it would be refused for ever.

        Raises:
            LeaseLost: the attempt is no longer open; nothing was written.
            Exception: the database's own, when it is out.
        """
        return self._write(None)

    def finish(self, outcome: Outcome) -> None:
        """Write the rest and end the attempt, in one transaction. Raises as `flush` does."""
        self._write(outcome)

    def _write(self, outcome: Outcome | None) -> Directive:
        batch, live, progress = self._take_batch()
        try:
            return self._write_batch(batch, live, progress, outcome)
        except LeaseLost:
            raise
        except Exception as error:
            if is_outage(error):
                self._put_back(batch)
                raise
            log.exception("attempt.refused job_id=%s attempt_id=%s", self._claim.job_id, self._claim.attempt_id)
            self.log(f"The database refused what this attempt had to say, and it is lost: {error!r:.500}", "error")
            return self._write_batch(Batch(), live, progress, outcome)

    def _write_batch(
        self, batch: Batch, live: dict[str, Any], progress: float | None, outcome: Outcome | None
    ) -> Directive:
        claim, at = self._claim, self._clock()
        with self._database.write() as session:
            directive = guard(session, claim.attempt_id, claim.job_id, lease_s=self._lease_s, at=at)
            if batch.child:
                note_child(session, claim.attempt_id, **batch.child)
            write_metrics(session, claim.run_id, batch.points)
            write_log(session, claim.job_id, claim.number, batch.lines)
            if batch.facts or batch.summary:
                note_run(session, claim.run_id, facts=batch.facts, summary=batch.summary)
            for kept in batch.kept:
                add_artifact(session, claim.job_id, at=at, **vars(kept))
            for kind, text in batch.remarks:
                add_event(session, claim.job_id, kind, actor=self._actor, at=at, text=text)
            if any(kept.kind == CHECKPOINT for kept in batch.kept):
                drop(session, drop_old_checkpoints(session, claim.job_id), at=at)
            if batch.live:
                change(session, claim.job_id, live=live, **({} if progress is None else {"progress": progress}))
            if outcome is not None:
                finish(session, claim.attempt_id, claim.job_id, outcome, actor=self._actor, at=at)
        return directive

    def _take_batch(self) -> tuple[Batch, dict[str, Any], float | None]:
        with self._lock:
            batch, self._batch = self._batch, Batch()
            self.notable.clear()
            return batch, self._live, self._progress

    def _put_back(self, batch: Batch) -> None:
        with self._lock:
            fits = batch.absorb(self._batch)
            self._batch = batch
        self._warn_once(fits)

    def _add(self, batch: Batch, *, notable: bool = False) -> None:
        with self._lock:
            fits = self._batch.absorb(batch)
        self._warn_once(fits)
        if notable:
            self.notable.set()

    def _warn_once(self, fits: bool) -> None:
        if not fits and not self._full:
            self._full = True
            log.warning("attempt.overflow job_id=%s: more was said than fits; it is lost", self._claim.job_id)

    def _note_progress(self, event: Progress) -> None:
        shown = event.model_dump(mode="json", exclude={"event"})
        with self._lock:
            self._live = {**shown, "stage": self._live["stage"]}
            self._progress = min(1.0, event.step / event.steps) if event.steps else None
        self._add(Batch(live=True))


def measured_columns(facts: dict[str, Any]) -> dict[str, int]:
    """The attempt's columns among these facts; what is no whole number from 0 up is left to the facts alone."""
    found = {column: facts.get(name) for name, column in MEASURED.items()}
    return {column: value for column, value in found.items() if type(value) is int and 0 <= value < 2**63}
