"""Predictions: of any number of claims one wins, a lost lease writes nothing, and nothing stays for ever."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import func, select

from records import predictions
from records.accounts import create_user
from records.dropped import unnamed
from records.errors import LeaseLost, NotFound, TooManyPredictions
from records.predictions import AskedImage, PredictionClaim
from records.questions import Likely, Options, Result, Seen, Trouble
from records.set_tables import DroppedBlobTable
from records.tables import PredictionImageTable, PredictionTable

LEASE_S = 5.0
DAY_S = 86_400.0
SEVEN = Result(classes=("6", "7"), images=(Seen(name="a.png", classes=(Likely(name="7", probability=0.9),)),))


class Asking:
    """Predictions of one yard; every method is one transaction."""

    def __init__(self, yard):
        self.yard = yard
        self.job_id = yard.submit()

    def ask(self, *digests, owner_id=None, most_open=100, options=None):
        images = [AskedImage(f"{number}.png", digest) for number, digest in enumerate(digests or ("a" * 64,))]
        with self.yard.database.write() as session:
            return predictions.ask(
                session,
                owner_id=owner_id or self.yard.owner_id,
                job_id=self.job_id,
                options=options or Options(),
                images=images,
                most_open=most_open,
                at=self.yard.clock(),
            )

    def claim(self, worker):
        with self.yard.database.write() as session:
            return predictions.claim_next(session, worker, lease_s=LEASE_S, at=self.yard.clock())

    def renew(self, claim):
        with self.yard.database.write() as session:
            predictions.renew(session, claim, lease_s=LEASE_S, at=self.yard.clock())

    def give_back(self, claim):
        with self.yard.database.write() as session:
            predictions.give_back(session, claim)

    def end(self, claim, outcome=SEVEN):
        with self.yard.database.write() as session:
            return predictions.end(session, claim, outcome, at=self.yard.clock())

    def sweep(self, kept_s=DAY_S, unheard_s=2.0):
        with self.yard.database.write() as session:
            return predictions.sweep_predictions(session, kept_s=kept_s, unheard_s=unheard_s, at=self.yard.clock())

    def row(self, prediction_id, owner_id=None):
        with self.yard.database.read() as session:
            return predictions.read_prediction(session, prediction_id, owner_id=owner_id)

    def dropped(self):
        """Addresses of blobs that wait to be deleted."""
        with self.yard.database.read() as session:
            return set(session.scalars(select(DroppedBlobTable.sha256)))

    def count(self, table):
        with self.yard.database.read() as session:
            return session.scalar(select(func.count()).select_from(table))


@pytest.fixture
def asking(yard):
    return Asking(yard)


def test_a_prediction_goes_from_asked_to_answered(asking, yard):
    worker = yard.register()
    prediction_id = asking.ask("a" * 64, "b" * 64, options=Options(top=5, weights="last"))
    assert asking.row(prediction_id).status == "waiting"
    yard.clock.advance(1)
    claim = asking.claim(worker)
    assert (claim.prediction_id, claim.job_id, claim.number) == (prediction_id, asking.job_id, 1)
    assert claim.options == Options(top=5, weights="last")
    assert claim.images == (AskedImage("0.png", "a" * 64), AskedImage("1.png", "b" * 64))
    yard.clock.advance(1)
    asking.end(claim)
    assert asking.dropped() == {"a" * 64, "b" * 64}
    row = asking.row(prediction_id)
    assert (row.status, row.worker_id, row.lease_until) == ("done", worker.id, None)
    assert Result.model_validate(row.result) == SEVEN
    assert row.created_at < row.started_at < row.finished_at
    assert asking.claim(worker) is None


def test_the_one_that_waits_longest_goes_first(asking, yard):
    worker = yard.register()
    first, second = asking.ask(), asking.ask()
    assert [asking.claim(worker).prediction_id for _ in range(2)] == [first, second]


def test_of_workers_that_claim_at_once_one_wins(asking, yard, race):
    workers = [yard.register(name) for name in ("anna", "bert")]
    for _ in range(6):
        prediction_id = asking.ask()
        results = race(*[partial(asking.claim, worker) for worker in workers * 2])
        won = [result for result in results if result is not None]
        assert [type(result) for result in won] == [PredictionClaim]
        assert won[0].prediction_id == prediction_id
        asking.end(won[0])


def test_claims_at_once_share_what_waits(asking, yard, race):
    worker = yard.register()
    asked = {asking.ask() for _ in range(4)}
    claims = race(*[partial(asking.claim, worker)] * 4)
    assert {claim.prediction_id for claim in claims} == asked


def test_a_trouble_is_on_record(asking, yard):
    prediction_id = asking.ask()
    asking.end(asking.claim(yard.register()), Trouble(code="predictor_died", text="It was killed by SIGSEGV."))
    row = asking.row(prediction_id)
    assert (row.status, row.reason_code, row.result) == ("failed", "predictor_died", None)
    assert "SIGSEGV" in row.reason_text


def test_a_worker_that_fell_silent_loses_the_prediction_and_writes_nothing(asking, yard):
    anna, bert = yard.register("anna"), yard.register("bert")
    prediction_id = asking.ask()
    lost = asking.claim(anna)
    yard.clock.advance(LEASE_S + 1)
    assert asking.sweep(), "somebody must hear of it again"
    taken = asking.claim(bert)
    for late in (asking.renew, asking.end):
        with pytest.raises(LeaseLost):
            late(lost)
    assert asking.row(prediction_id).status == "running"
    asking.end(taken)
    assert asking.row(prediction_id).worker_id == bert.id
    with pytest.raises(LeaseLost):
        asking.end(taken)


def test_a_sign_of_life_keeps_the_lease(asking, yard):
    claim = asking.claim(yard.register()) if asking.ask() else None
    for _ in range(3):
        yard.clock.advance(LEASE_S - 1)
        asking.renew(claim)
        assert not asking.sweep()
    asking.end(claim)


def test_what_silenced_three_workers_is_not_given_to_a_fourth(asking, yard):
    worker = yard.register()
    prediction_id = asking.ask()
    for _ in range(3):
        assert asking.claim(worker) is not None
        yard.clock.advance(LEASE_S + 1)
        asking.sweep()
    assert asking.claim(worker) is None
    row = asking.row(prediction_id)
    assert (row.status, row.reason_code) == ("failed", "lease_expired")
    assert row.finished_at == yard.clock()


def test_what_is_given_back_is_anothers(asking, yard):
    anna, bert = yard.register("anna"), yard.register("bert")
    asking.ask()
    given = asking.claim(anna)
    asking.give_back(given)
    taken = asking.claim(bert)
    for late in (asking.give_back, asking.end):
        with pytest.raises(LeaseLost):
            late(given)
    asking.end(taken)


def test_a_bell_that_nobody_heard_rings_again(asking, yard):
    asking.ask()
    assert not asking.sweep()
    yard.clock.advance(3)
    assert asking.sweep()
    asking.claim(yard.register())
    assert not asking.sweep()


def test_old_predictions_go_with_their_images(asking, yard):
    worker = yard.register()
    done = asking.ask("a" * 64)
    asking.end(asking.claim(worker))
    asking.ask("b" * 64)
    yard.clock.advance(DAY_S - 1)
    young = asking.ask("c" * 64)
    asking.sweep()
    assert asking.dropped() == {"a" * 64}
    yard.clock.advance(2)
    asking.sweep()
    assert asking.dropped() == {"a" * 64, "b" * 64}
    with pytest.raises(NotFound):
        asking.row(done)
    assert asking.row(young).status == "waiting"
    assert (asking.count(PredictionTable), asking.count(PredictionImageTable)) == (1, 1)


def test_the_id_of_a_forgotten_prediction_never_means_another(asking, yard):
    forgotten = asking.ask()
    yard.clock.advance(DAY_S + 1)
    asking.sweep()
    assert asking.count(PredictionTable) == 0
    assert asking.ask() > forgotten


def test_the_bytes_of_an_open_prediction_are_named(asking, yard):
    asking.ask("a" * 64)
    asking.ask("a" * 64)
    worker = yard.register()
    with yard.database.read() as session:
        assert unnamed(session, ["a" * 64, "b" * 64]) == ["b" * 64]
    asking.end(asking.claim(worker))
    with yard.database.read() as session:
        assert unnamed(session, ["a" * 64]) == [], "the other one still needs them"
    asking.end(asking.claim(worker))
    with yard.database.read() as session:
        assert unnamed(session, ["a" * 64]) == ["a" * 64]


def test_a_person_may_have_only_so_many_without_an_answer(asking, yard):
    for _ in range(2):
        asking.ask(most_open=2)
    with pytest.raises(TooManyPredictions, match="2 of your predictions"):
        asking.ask(most_open=2)
    with yard.database.write() as session:
        other = create_user(session, "bob", "member", at=yard.clock()).id
    asking.ask(owner_id=other, most_open=2)
    asking.end(asking.claim(yard.register()))
    asking.ask(most_open=2)


def test_people_who_ask_at_once_do_not_slip_past_the_limit(asking, race):
    results = race(*[partial(asking.ask, most_open=2)] * 5)
    assert sum(isinstance(result, int) for result in results) == 2
    assert sum(isinstance(result, TooManyPredictions) for result in results) == 3


def test_another_persons_prediction_is_as_good_as_absent(asking, yard):
    prediction_id = asking.ask()
    assert asking.row(prediction_id, owner_id=yard.owner_id).id == prediction_id
    for owner_id, wanted in ((yard.owner_id + 1, prediction_id), (None, prediction_id + 1)):
        with pytest.raises(NotFound, match=f"no prediction {wanted} that you can see"):
            asking.row(wanted, owner_id=owner_id)
