"""The warm predictor: one real child, what it holds, and every way in which a question can go wrong."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import psutil
import pytest

from records.errors import BlobUnavailable, LeaseLost, OutOfMemory, PredictorDied, TimeLimitReached
from records.orders import OrderedDevice
from records.questions import Model, Options, Picture, PredictorOrder, Question
from tests.api.pages.filling import png
from tests.waiting import eventually
from tests.worker.process import eventually_gone
from worker.predictor import Predictor

CPU = OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1)
ORDER = PredictorOrder(device=CPU, models=2, image_pixels=10**6)


@pytest.fixture
def make_predictor(preloaded, tmp_path):
    """`make_predictor(limit_s=60)`: a predictor whose child is started by the first question."""
    made = []

    def make(limit_s=60.0, memory_bytes=CPU.memory_bytes):
        device = CPU.model_copy(update={"memory_bytes": memory_bytes})
        order = ORDER.model_copy(update={"device": device})
        made.append(Predictor(preloaded, order, folder=tmp_path / "models", limit_s=limit_s))
        return made[-1]

    yield make
    for predictor in made:
        predictor.close()


@pytest.fixture
def question(tmp_path):
    """`question(key="one")`: what is on a grey picture?"""
    path = tmp_path / "a.png"
    path.write_bytes(png(28, 28))

    def make(key="one"):
        model = Model(job_id=1, key=key, files=None, weights="best")
        return Question(model=model, pictures=(Picture(name="a.png", path=path),), options=Options())

    return make


@pytest.fixture
def stage(model_files):
    """Brings the model's files; `stage.folders` is where to."""

    def bring(folder: Path):
        bring.folders.append(folder)
        for file in model_files.iterdir():
            shutil.copy(file, folder)

    bring.folders = []
    return bring


def _nothing():
    """Nothing happens meanwhile."""


def test_a_model_is_staged_once_and_answers_again_and_again(make_predictor, question, stage):
    predictor = make_predictor()
    assert predictor.pid is None
    first = predictor.ask(question(), stage=stage, beat=_nothing)
    pid = predictor.pid
    again = [predictor.ask(question(), stage=stage, beat=_nothing) for _ in range(3)]
    assert predictor.pid == pid
    assert [answer.result for answer in again] == [first.result] * 3
    assert [image.name for image in first.result.images] == ["a.png"]
    assert len(first.result.images[0].classes) == 3
    assert len(stage.folders) == 1
    assert not stage.folders[0].exists(), "the child has read it"


def test_the_model_that_was_asked_for_longest_ago_leaves(make_predictor, question, stage):
    predictor = make_predictor()
    held = [predictor.ask(question(key), stage=stage, beat=_nothing).held for key in ("a", "b", "a", "c", "a", "b")]
    assert held == [("a",), ("a", "b"), ("b", "a"), ("a", "c"), ("c", "a"), ("a", "b")]
    assert [folder.name for folder in stage.folders] == ["a", "b", "c", "b"]


def test_a_crash_costs_one_question_and_the_next_finds_a_fresh_child(make_predictor, question, stage):
    predictor = make_predictor()
    killed = []

    def crash():
        if not killed:
            killed.append(predictor.pid)
            os.kill(predictor.pid, signal.SIGSEGV)

    with pytest.raises(PredictorDied, match="killed by SIGSEGV over this question"):
        predictor.ask(question(), stage=stage, beat=crash)
    assert predictor.pid is None
    assert predictor.ask(question(), stage=stage, beat=_nothing).result is not None
    assert predictor.pid != killed[0]
    assert len(stage.folders) == 2
    assert not any(folder.exists() for folder in stage.folders)


def test_a_child_that_holds_more_than_it_may_is_ended_and_the_answer_says_so(make_predictor, question, stage):
    predictor = make_predictor(memory_bytes=60_000_000)
    with pytest.raises(OutOfMemory, match=r"may hold 60 MB.*TRAINYARD_PREDICT_MEMORY_BYTES"):
        predictor.ask(question(), stage=stage, beat=_nothing)
    assert predictor.pid is None


def test_a_question_that_takes_too_long_ends_the_child(make_predictor, question, stage):
    predictor = make_predictor(limit_s=0.0)
    pids = []

    def stop(_folder):
        pids.append(predictor.pid)
        os.kill(predictor.pid, signal.SIGSTOP)

    with pytest.raises(TimeLimitReached, match="longer than 0 s"):
        predictor.ask(question(), stage=stop, beat=_nothing)
    assert eventually_gone(pids[0])
    assert predictor.pid is None


def test_a_question_that_is_given_up_ends_the_child_so_that_no_answer_comes_late(make_predictor, question, stage):
    predictor = make_predictor()
    predictor.ask(question(), stage=stage, beat=_nothing)
    pid, beats = predictor.pid, []

    def lose():
        beats.append(1)
        raise LeaseLost("It is another's.")

    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(LeaseLost):
        predictor.ask(question(), stage=stage, beat=lose)
    assert beats == [1]
    assert eventually_gone(pid)
    assert predictor.ask(question("two"), stage=stage, beat=_nothing).held == ("two",)


def test_a_model_that_cannot_be_brought_is_told(make_predictor, question, model_files, tmp_path):
    def fail(folder):
        raise BlobUnavailable("Blob abc is damaged.")

    predictor = make_predictor()
    with pytest.raises(BlobUnavailable):
        predictor.ask(question(), stage=fail, beat=_nothing)
    assert list((tmp_path / "models").iterdir()) == []


def test_an_idle_child_ends_and_one_at_work_is_left_alone(make_predictor, question, stage):
    predictor = make_predictor()
    predictor.end_if_idle(0.0)
    looked = []

    def look():
        looked.append(predictor.pid)
        predictor.end_if_idle(0.0)

    predictor.ask(question(), stage=stage, beat=look)
    pid = predictor.pid
    assert pid in looked, "the first question takes long enough to be looked at"
    predictor.end_if_idle(3600.0)
    assert predictor.pid == pid
    predictor.end_if_idle(0.0)
    assert predictor.pid is None
    assert eventually_gone(pid)
    assert predictor.ask(question(), stage=stage, beat=_nothing).result is not None


def test_a_child_that_died_while_nobody_asked_is_replaced_unnoticed(make_predictor, question, stage):
    predictor = make_predictor()
    predictor.ask(question(), stage=stage, beat=_nothing)
    pid = predictor.pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: predictor._talk.is_over)
    assert predictor.ask(question(), stage=stage, beat=_nothing).result is not None
    assert predictor.pid != pid


def test_the_child_sees_no_secret_and_its_decoders_end_with_it(make_predictor, question, stage, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("TRAINYARD_TOKEN", "ty_secret")
    predictor = make_predictor()
    predictor.ask(question(), stage=stage, beat=_nothing)
    family = [psutil.Process(predictor.pid), *psutil.Process(predictor.pid).children(recursive=True)]
    assert len(family) == 2, "the child and its decoder"
    for process in family:
        environ = Path(f"/proc/{process.pid}/environ").read_text()
        assert "PATH=" in environ
        assert "secret" not in environ
    predictor.close()
    for process in family:
        assert eventually_gone(process.pid)
