"""The life of a prediction: asked, claimed, renewed, ended, swept. The row is the truth, as with attempts.

A prediction is small and short: it spends no device lease and has no history. Nothing here commits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.orm import Session

from records.database import lock_pass, rows_changed
from records.dropped import drop
from records.errors import LeaseExpired, LeaseLost, NotFound, TooManyPredictions
from records.questions import Options, Result, Trouble
from records.tables import PredictionImageTable, PredictionTable, WorkerTable

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
OPEN = (WAITING, RUNNING)
MOST_CLAIMS = 3
"""A prediction that was claimed so often and not ended is not given to another worker: it may be what silences them."""


class AskedImage(NamedTuple):
    """An image of a prediction: what it is called, and where its bytes lie."""

    name: str
    sha256: str


@dataclass(frozen=True)
class PredictionClaim:
    """A prediction that is now this worker's."""

    prediction_id: int
    number: int
    """How often it was claimed: with the id the fencing token."""
    job_id: int
    options: Options
    images: tuple[AskedImage, ...]


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────────


def ask(
    session: Session,
    *,
    owner_id: int,
    job_id: int,
    options: Options,
    images: Sequence[AskedImage],
    most_open: int,
    at: datetime,
) -> int:
    """Add a waiting prediction and return its id.

    Raises:
        TooManyPredictions: this person has `most_open` without an answer.
    """
    lock_pass(session, f"predictions.{owner_id}")
    check_room(session, owner_id, most_open=most_open)
    row = PredictionTable(
        owner_id=owner_id,
        job_id=job_id,
        status=WAITING,
        options=options.model_dump(mode="json"),
        claims=0,
        created_at=at,
    )
    session.add(row)
    session.flush()
    for number, image in enumerate(images):
        session.add(PredictionImageTable(prediction_id=row.id, number=number, name=image.name, sha256=image.sha256))
    session.flush()
    return row.id


def check_room(session: Session, owner_id: int, *, most_open: int) -> None:
    """See, before images are stored, whether somebody may ask now.

    Raises:
        TooManyPredictions: this person has `most_open` without an answer.
    """
    mine = PredictionTable.owner_id == owner_id
    waiting = session.scalar(select(func.count()).where(mine, PredictionTable.status.in_(OPEN))) or 0
    if waiting >= most_open:
        raise TooManyPredictions(f"{waiting} of your predictions have no answer yet. Wait for one of them, then go on.")


def is_open(session: Session, prediction_id: int) -> bool:
    """Whether a prediction still has no answer: one small statement, for those who wait."""
    return session.scalar(select(PredictionTable.status).where(PredictionTable.id == prediction_id)) in OPEN


def read_prediction(session: Session, prediction_id: int, *, owner_id: int | None = None) -> PredictionTable:
    """A prediction, as far as somebody may see it.

    Args:
        session: for reading.
        prediction_id: which.
        owner_id: the person who may see only their own; None sees everything.

    Raises:
        NotFound: there is none that this person can see.
    """
    row = session.scalar(select(PredictionTable).where(PredictionTable.id == prediction_id))
    if row is None or owner_id not in (None, row.owner_id):
        raise NotFound(f"There is no prediction {prediction_id} that you can see.")
    return row


# ── workers ──────────────────────────────────────────────────────────────────────────────────────────────────


def claim_next(session: Session, worker: WorkerTable, *, lease_s: float, at: datetime) -> PredictionClaim | None:
    """Make the prediction that waits longest this worker's own; None when none waits. Of many claims, one wins."""
    while (row := _next(session)) is not None:
        won = rows_changed(
            session,
            update(PredictionTable)
            .where(PredictionTable.id == row.id, PredictionTable.status == WAITING)
            .values(
                status=RUNNING,
                worker_id=worker.id,
                claims=PredictionTable.claims + 1,
                lease_until=at + timedelta(seconds=lease_s),
                started_at=at,
            ),
        )
        if won == 1:
            options = Options.model_validate(row.options)
            return PredictionClaim(row.id, row.claims + 1, row.job_id, options, _images(session, row.id))
    return None


def renew(session: Session, claim: PredictionClaim, *, lease_s: float, at: datetime) -> None:
    """A sign of life.

    Raises:
        LeaseLost: the prediction is no longer this claim's.
    """
    _change(session, claim, lease_until=at + timedelta(seconds=lease_s))


def give_back(session: Session, claim: PredictionClaim) -> None:
    """Let another worker have it.

    Raises:
        LeaseLost: the prediction is no longer this claim's.
    """
    _change(session, claim, status=WAITING, lease_until=None)


def end(session: Session, claim: PredictionClaim, outcome: Result | Trouble, *, at: datetime) -> None:
    """Write the answer, or why there is none, and let the images go.

    Raises:
        LeaseLost: the prediction is no longer this claim's.
    """
    columns: dict[str, Any]
    if isinstance(outcome, Result):
        columns = {"status": DONE, "result": outcome.model_dump(mode="json")}
    else:
        columns = {"status": FAILED, "reason_code": outcome.code, "reason_text": outcome.text}
    _change(session, claim, lease_until=None, finished_at=at, **columns)
    _drop_images(session, [claim.prediction_id], at=at)


# ── the sweep ────────────────────────────────────────────────────────────────────────────────────────────────


def sweep_predictions(session: Session, *, kept_s: float, unheard_s: float, at: datetime) -> bool:
    """Let others have what silent workers held, forget what is old, and see whether a bell must ring again.

    Args:
        session: a writing transaction.
        kept_s: predictions asked so long ago are forgotten, answered or not.
        unheard_s: one that waits for so long may not have been heard of.
        at: now.
    """
    _expire(session, at)
    query = select(PredictionTable.id).where(PredictionTable.created_at < at - timedelta(seconds=kept_s))
    old = list(session.scalars(query))
    if old:
        _drop_images(session, old, at=at)
        session.execute(delete(PredictionTable).where(PredictionTable.id.in_(old)))
    before = at - timedelta(seconds=unheard_s)
    waits = select(PredictionTable.id).where(PredictionTable.status == WAITING, PredictionTable.created_at < before)
    return session.scalar(waits.limit(1)) is not None


def _expire(session: Session, at: datetime) -> None:
    lapsed = (PredictionTable.status == RUNNING, PredictionTable.lease_until < at)
    text = "Workers fell silent over this prediction. Ask again; if it stays so, ask whoever runs this yard."
    given_up = {"status": FAILED, "finished_at": at, "reason_code": LeaseExpired.code, "reason_text": text}
    often = PredictionTable.claims >= MOST_CLAIMS
    rows_changed(session, update(PredictionTable).where(*lapsed, often).values(lease_until=None, **given_up))
    rows_changed(session, update(PredictionTable).where(*lapsed).values(status=WAITING, lease_until=None))


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────


def _next(session: Session) -> Row[tuple[int, int, int, dict[str, Any]]] | None:
    columns = (PredictionTable.id, PredictionTable.job_id, PredictionTable.claims, PredictionTable.options)
    waiting = select(*columns).where(PredictionTable.status == WAITING).order_by(PredictionTable.id).limit(1)
    return session.execute(waiting).one_or_none()


def _images(session: Session, prediction_id: int) -> tuple[AskedImage, ...]:
    columns = (PredictionImageTable.name, PredictionImageTable.sha256)
    query = select(*columns).where(PredictionImageTable.prediction_id == prediction_id)
    return tuple(AskedImage(*row) for row in session.execute(query.order_by(PredictionImageTable.number)))


def _change(session: Session, claim: PredictionClaim, **columns: Any) -> None:
    statement = update(PredictionTable).where(
        PredictionTable.id == claim.prediction_id,
        PredictionTable.status == RUNNING,
        PredictionTable.claims == claim.number,
    )
    if rows_changed(session, statement.values(**columns)) != 1:
        raise LeaseLost(f"Prediction {claim.prediction_id} is no longer this worker's.")


def _drop_images(session: Session, prediction_ids: Collection[int], *, at: datetime) -> None:
    mine = PredictionImageTable.prediction_id.in_(prediction_ids)
    digests = set(session.scalars(select(PredictionImageTable.sha256).where(mine)))
    session.execute(delete(PredictionImageTable).where(mine))
    drop(session, digests, at=at)
