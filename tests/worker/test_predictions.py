"""Predictions through a worker: claimed once, answered, given back, written only by whoever still holds the lease."""

from __future__ import annotations

import dataclasses
import shutil
import threading
from datetime import timedelta

import psutil
import pytest
from sqlalchemy import func, select, update

from records import artifacts
from records.blobs import FolderBlobs
from records.clock import utc_now
from records.predictions import AskedImage, ask, read_prediction, sweep_predictions
from records.questions import Answer, Likely, Options, Result, Seen
from records.queue import PREDICT_QUEUE, PREDICT_TASK, ring_predictions
from records.tables import PredictionImageTable, PredictionTable
from records.workers import register
from tests.api.pages.filling import png
from tests.models import add_trained_job
from worker.leftovers import sweep_blobs
from worker.predictions import answer_waiting

ANSWER = Answer(
    result=Result(classes=("7",), images=(Seen(name="a.png", classes=(Likely(name="7", probability=1.0),)),)),
    held=("one",),
    resident_bytes=1,
)


class Asking:
    """Asks of a job that has a model."""

    def __init__(self, database, blobs, owner_id, model_files):
        self.database, self.blobs, self.owner_id = database, blobs, owner_id
        self.job_id = add_trained_job(database, blobs, model_files, owner_id=owner_id, at=utc_now())

    def ask(self, content=None, *, weights="best"):
        path = self.blobs.folder.parent / "a.png"
        path.write_bytes(png(28, 28) if content is None else content)
        images = [AskedImage("a.png", self.blobs.put_file(path).sha256)]
        with self.database.write() as session:
            return ask(
                session,
                owner_id=self.owner_id,
                job_id=self.job_id,
                options=Options(weights=weights),
                images=images,
                most_open=1000,
                at=utc_now(),
            )

    def row(self, prediction_id):
        with self.database.read() as session:
            return read_prediction(session, prediction_id)

    def images(self):
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(PredictionImageTable))


class Oracle:
    """Stands where the predictor stands; does what a test wants while it is asked."""

    def __init__(self, meanwhile=lambda beat: None):
        self.asked, self._meanwhile = [], meanwhile

    def ask(self, question, *, stage, beat):
        self.asked.append(question)
        self._meanwhile(beat)
        return ANSWER


@pytest.fixture
def asking(database, settings, member, model_files):
    return Asking(database, FolderBlobs(settings.blob_folder), member.person.id, model_files)


@pytest.fixture
def with_oracle(place):
    """`with_oracle(meanwhile)`: the workplace with an oracle."""

    def make(*meanwhile, row=place.row):
        return dataclasses.replace(place, predictor=Oracle(*meanwhile), row=row)

    return make


def test_all_that_waits_is_answered_and_the_images_go(asking, with_oracle):
    ids = [asking.ask() for _ in range(3)]
    place = with_oracle()
    answer_waiting(place)
    assert [asking.row(i).status for i in ids] == ["done"] * 3
    assert asking.row(ids[0]).worker_id == place.row.id
    assert asking.images() == 0
    (picture,) = place.predictor.asked[0].pictures
    assert picture.path.read_bytes() == png(28, 28)
    sweep_blobs(place.database, place.blobs, rest_s=-1.0)
    assert not picture.path.exists()
    assert place.predictor.asked[0].model.key == place.predictor.asked[1].model.key


def test_of_two_workers_one_answers(asking, place, with_oracle, in_thread):
    with place.database.write() as session:
        other = register(session, "other", host="h", pid=1, version="0", devices=[], at=utc_now())
    workers = [with_oracle(), with_oracle(row=other)]
    ids = [asking.ask() for _ in range(20)]
    together = threading.Barrier(4)

    def work(workplace):
        together.wait()
        answer_waiting(workplace)

    for thread in [in_thread(work, workplace) for workplace in workers * 2]:
        thread.join()
    assert [asking.row(i).status for i in ids] == ["done"] * 20
    assert [asking.row(i).claims for i in ids] == [1] * 20
    assert sum(len(workplace.predictor.asked) for workplace in workers) == 20


def test_who_lost_the_lease_writes_nothing(asking, place, with_oracle):
    def lose(beat):
        late = utc_now() + timedelta(days=0.5)
        with place.database.write() as session:
            session.execute(update(PredictionTable).values(lease_until=utc_now()))
            sweep_predictions(session, kept_s=86_400, unheard_s=0, at=late)

    prediction_id = asking.ask()
    place_that_loses = with_oracle(lose)
    answer_waiting(place_that_loses)
    assert len(place_that_loses.predictor.asked) == 3, "it came back to it until it was given up"
    row = asking.row(prediction_id)
    assert (row.status, row.reason_code, row.result) == ("failed", "lease_expired", None)


def test_a_long_question_keeps_its_lease(asking, place, with_oracle, settings):
    settings = settings.model_copy(update={"lease_s": 0.03})
    leases = []

    def wait(beat):
        for _ in range(3):
            before = asking.row(prediction_id).lease_until
            while asking.row(prediction_id).lease_until == before:
                beat()
            leases.append(asking.row(prediction_id).lease_until)

    prediction_id = asking.ask()
    answer_waiting(dataclasses.replace(with_oracle(wait), settings=settings))
    assert leases == sorted(set(leases))
    assert asking.row(prediction_id).status == "done"


def test_a_worker_that_shuts_down_gives_its_question_back(asking, with_oracle):
    def drain(beat):
        place.draining.set()
        beat()

    first, second = asking.ask(), asking.ask()
    place = with_oracle(drain)
    answer_waiting(place)
    assert [asking.row(i).status for i in (first, second)] == ["waiting", "waiting"]
    answer_waiting(place)
    assert len(place.predictor.asked) == 1, "it takes nothing up any more"


def test_a_model_that_is_not_there_is_told(asking, with_oracle):
    prediction_id = asking.ask(weights="last")
    place = with_oracle()
    answer_waiting(place)
    row = asking.row(prediction_id)
    assert (row.status, row.reason_code) == ("failed", "not_found")
    assert "last.weights.h5" in row.reason_text
    assert place.predictor.asked == []


def test_an_error_of_the_worker_itself_ends_one_question_alone(asking, with_oracle):
    asked = []

    def break_once(beat):
        asked.append(1)
        if len(asked) == 1:
            raise RuntimeError("a bug")

    first, second = asking.ask(), asking.ask()
    answer_waiting(with_oracle(break_once))
    row = asking.row(first)
    assert (row.status, row.reason_code) == ("failed", "prediction_failed")
    assert "a bug" in row.reason_text
    assert asking.row(second).status == "done"


def test_damaged_weights_end_the_question_and_leave_nothing(asking, place, is_scratch_empty, settings):
    with place.database.read() as session:
        digest = artifacts.find_artifact(session, asking.job_id, "best.weights.h5").sha256
    place.blobs.path(digest).write_bytes(b"damaged")
    prediction_id = asking.ask()
    answer_waiting(place)
    place.predictor.close()
    row = asking.row(prediction_id)
    assert (row.status, row.reason_code) == ("failed", "blob_unavailable")
    assert list((settings.scratch_folder / "predictor").iterdir()) == []
    shutil.rmtree(settings.scratch_folder / "predictor")
    assert is_scratch_empty()


# ── a worker process ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_answers_and_its_predictor_ends_when_nobody_asks_and_with_it(asking, start_worker, yard, eventually):
    worker = start_worker(predict_idle_s=0.2)
    unheard = asking.ask()  # nobody rings
    eventually(lambda: asking.row(unheard).status == "done", within_s=90)
    result = Result.model_validate(asking.row(unheard).result)
    assert [image.name for image in result.images] == ["a.png"]
    assert sum(likely.probability for likely in result.images[0].classes) <= 1.0
    eventually(lambda: not psutil.Process(worker.pid).children(), within_s=30)
    for arguments in ((), (1,), ("surprise",), ({},)):
        yard.bells.send_task(PREDICT_TASK, args=arguments, queue=PREDICT_QUEUE)
    rung = asking.ask()
    ring_predictions(yard.bells)
    eventually(lambda: worker.descendants() and asking.row(rung).status == "running", within_s=60)
    worker.kill()
    eventually(worker.leaves_nothing, within_s=15)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_a_killed_worker_held_is_answered_by_the_next(asking, start_worker, yard, eventually):
    first = start_worker(lease_s=1.0)
    prediction_id = asking.ask()
    ring_predictions(yard.bells)
    eventually(lambda: first.descendants() and asking.row(prediction_id).status == "running", within_s=60)
    first.kill()
    start_worker()
    eventually(lambda: asking.row(prediction_id).status == "done", within_s=90)
    assert asking.row(prediction_id).claims == 2
