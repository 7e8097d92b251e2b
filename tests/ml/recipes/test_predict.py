"""The predict recipe, called as a notebook would call it, with a model that has just been trained."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ml.recipes.predict import predict
from ml.reporter import Interruption, Reporter
from records.catalogue import MNIST
from records.errors import ModelUnreadable
from records.events import Artifact, FirstStep, Log, Progress, Stage
from records.specs import PredictSpec
from tests.ml.recipes.stopping import StoppingReporter

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21


def _run(make_order, trained: Path, reporter=None, weights="best", **fields):
    spec = PredictSpec(**{"run": {"job": 1, "weights": weights}, "dataset": "mnist", "batch_size": 16, **fields})
    order = make_order(spec.model_dump(mode="json"))
    files = {"run": trained / "run.json", "weights": trained / spec.run.artifact}
    order = order.model_copy(update={"inputs": {**order.inputs, **files}})
    reporter = reporter or StoppingReporter()
    return order.folder, predict(spec, order, reporter), reporter


def _rows(folder: Path):
    with (folder / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_test_images_score_as_they_did_in_training(make_order, trained):
    folder, summary, reporter = _run(make_order, trained)
    assert summary["test/accuracy"] == json.loads((trained / "run.json").read_text())["metrics"]["test/accuracy"]
    assert summary["images"] == 40
    assert summary["test/accuracy_low"] < summary["test/accuracy"] < summary["test/accuracy_high"]
    rows = _rows(folder)
    assert [(row["split"], int(row["index"])) for row in rows] == [("test", n) for n in range(40)]
    right = sum(row["label"] == row["predicted"] for row in rows)
    assert right / 40 == summary["test/accuracy"]
    told = np.array([[float(row[f"p({name})"]) for name in MNIST.classes] for row in rows])
    assert np.allclose(told.sum(axis=1), 1, atol=1e-4)
    assert [MNIST.classes[best] for best in told.argmax(axis=1)] == [row["predicted"] for row in rows]
    names = [event.name for event in reporter.of(Artifact)]
    assert names == ["predictions.csv", "confusion-matrix.json", "confusion-matrix.png", "run.json"]
    matrix = json.loads((folder / "confusion-matrix.json").read_text())
    assert (matrix["accuracy"], sum(map(sum, matrix["matrix"]))) == (summary["test/accuracy"], 40)
    assert json.loads((trained / "confusion-matrix.json").read_text())["matrix"] == matrix["matrix"]


def test_all_images_are_told_split_by_split(make_order, trained):
    folder, summary, reporter = _run(make_order, trained, split="all", batch_size=100)
    rows = _rows(folder)
    assert [row["split"] for row in rows] == ["train"] * 284 + ["test"] * 40
    assert [int(row["index"]) for row in rows] == [*range(284), *range(40)]
    assert set(summary) == {"images", "accuracy", "accuracy_low", "accuracy_high"}
    assert [event.stage for event in reporter.of(Stage)] == ["loading", "building", "predicting", "reporting"]
    assert len(reporter.of(FirstStep)) == 1
    assert reporter.seen == 324


def test_the_last_weights_can_be_asked_too(make_order, trained):
    best, last = (_rows(_run(make_order, trained, weights=weights)[0]) for weights in ("best", "last"))
    metrics = json.loads((trained / "run.json").read_text())["metrics"]
    assert (best == last) == (metrics["best_epoch"] == metrics["epochs"])


def test_classes_that_are_not_the_models_are_not_scored(make_order, trained):
    folder, summary, reporter = _run(make_order, trained, dataset="fashion_mnist")
    assert summary == {"images": 40}
    assert _rows(folder)[0]["label"] == "T-shirt/top"
    assert _rows(folder)[0]["predicted"] in MNIST.classes
    assert not (folder / "confusion-matrix.json").exists()
    assert "Not scored" in reporter.of(Log)[0].text


def test_a_stopped_job_ends_between_two_batches(make_order, trained):
    reporter = StoppingReporter(stop_at=32)
    with pytest.raises(Interruption):
        _run(make_order, trained, reporter)
    assert reporter.seen == 32
    assert reporter.of(Artifact) == []


def test_progress_counts_images(make_order, trained):
    events = []
    _run(make_order, trained, Reporter(events.append, progress_every_s=0.0))
    told = [event for event in events if isinstance(event, Progress)]
    assert [(event.step, event.steps) for event in told] == [(16, 40), (32, 40), (40, 40)]
    assert all(event.images_per_s > 0 for event in told)


def test_a_model_that_cannot_be_read_ends_the_job_for_good(make_order, trained, tmp_path):
    shutil.copy(trained / "run.json", tmp_path)
    (tmp_path / "best.weights.h5").write_bytes(b"not HDF5")
    with pytest.raises(ModelUnreadable):
        _run(make_order, tmp_path)
