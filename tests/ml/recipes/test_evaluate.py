"""The evaluate recipe, called as a notebook would call it, with models that have just been trained."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ml.datasets import load_images, split_validation
from ml.inspections.evaluate import roles_of
from ml.predicting.classifier import load_classifier
from ml.recipes.evaluate import evaluate
from ml.reporter import Interruption, Reporter
from ml.reports import wilson_interval
from records.errors import DatasetUnsuitable
from records.events import Artifact, FirstStep, Progress, Stage
from records.specs import EvaluateSpec, parse_spec
from tests.ml.recipes.stopping import StoppingReporter, run
from tests.ml.staged import write_staged

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21

TRAINING = {"kind": "train", "dataset": "mnist", "network": {"name": "dense", "options": {"hidden": [8]}}}


@pytest.fixture(scope="module")
def others(tiny_mnist: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of two short trainings that are often wrong, each in another way."""
    from records.orders import Order, OrderedDevice

    folders = []
    for seed in (1, 2):
        spec = TRAINING | {"epochs": 2, "seed": seed, "split_seed": 0}
        folders.append(tmp_path_factory.mktemp(f"other-{seed}"))
        device = OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1)
        order = Order(
            job_id=seed, attempt_number=1, spec=spec, device=device, inputs={"dataset": tiny_mnist}, folder=folders[-1]
        )
        run(order)
    return folders


def _evaluate(make_order, folders, reporter=None, dataset=None, **fields):
    runs = tuple({"job": number} for number in range(1, len(folders) + 1))
    spec = EvaluateSpec(**{"runs": runs, "batch_size": 16, **fields})
    order = make_order(spec.model_dump(mode="json"))
    inputs = dict(order.inputs) | ({"dataset": dataset} if dataset else {})
    for one, folder in zip(spec.runs, folders, strict=True):
        record, weights = roles_of(one)
        inputs |= {record: folder / "run.json", weights: folder / one.artifact}
    reporter = reporter or StoppingReporter()
    return order.folder, evaluate(spec, order.model_copy(update={"inputs": inputs}), reporter), reporter


def _rows(path: Path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _told(folders, images):
    return [load_classifier(f / "run.json", f / "best.weights.h5").probabilities(images) for f in folders]


def test_one_run_scores_as_its_own_training_said(make_order, trained):
    folder, summary, reporter = _evaluate(make_order, [trained])
    right = json.loads((trained / "run.json").read_text())["metrics"]["test/accuracy"]
    low, high = wilson_interval(round(40 * right), 40)
    assert summary == {
        "images": 40, "test/accuracy": right, "test/accuracy_low": low, "test/accuracy_high": high
    }  # fmt: skip
    assert [event.stage for event in reporter.of(Stage)] == ["loading", "predicting", "reporting"]
    assert len(reporter.of(FirstStep)) == 1
    (row,) = _rows(folder / "accuracies.csv")
    assert (row["who"], row["split"], row["views"], int(row["right"])) == ("job 1 (best)", "test", "0", 40 * right)
    assert (folder / "confusion-matrix.json").read_bytes() == (trained / "confusion-matrix.json").read_bytes()


def test_a_vote_is_the_mean_of_the_probabilities_by_weight(make_order, others, tiny_mnist):
    data = load_images("mnist", tiny_mnist)
    one, two = _told(others, data.test_images)
    folder, summary, reporter = _evaluate(make_order, others, vote_weights=(1.0, 3.0))
    expected = 0.25 * one.astype(np.float64) + 0.75 * two
    rows = _rows(folder / "predictions.csv")
    said = np.array([[float(row[f"p({name})"]) for name in data.classes] for row in rows])
    np.testing.assert_allclose(said, expected, rtol=1e-4, atol=1e-9)
    assert summary["test/accuracy"] == (expected.argmax(axis=1) == data.test_labels).mean()
    by_who = {row["who"]: int(row["right"]) for row in _rows(folder / "accuracies.csv")}
    assert by_who["job 1 (best)"] == (one.argmax(axis=1) == data.test_labels).sum()
    assert by_who["job 2 (best)"] == (two.argmax(axis=1) == data.test_labels).sum()
    assert by_who["vote"] == 40 * summary["test/accuracy"]
    assert {event.name for event in reporter.of(Artifact)} == {
        "accuracies.csv", "predictions.csv", "mistakes.png", "confusion-matrix.json", "confusion-matrix.png",
        "per-class.json", "per-class.csv", "calibration.json", "calibration.png", "run.json",
    }  # fmt: skip
    record = json.loads((folder / "run.json").read_text())
    assert parse_spec(record["spec"]).vote_weights == (1.0, 3.0)
    assert [row["who"] for row in record["accuracies"]] == list(by_who)


def test_a_run_of_no_weight_has_no_voice(make_order, others):
    alone = _evaluate(make_order, others[:1])[1]
    assert _evaluate(make_order, others, vote_weights=(1.0, 0.0))[1] == alone


def test_views_are_averaged_and_the_plain_accuracy_is_told_beside_them(make_order, others):
    views = {"count": 3, "augmentation": {"shift": 0.2, "rotate_degrees": 20.0}}
    folder, summary, reporter = _evaluate(make_order, others, test_time_augmentation=views)
    plain = _evaluate(make_order, others)[1]
    assert summary["test/plain_accuracy"] == plain["test/accuracy"]
    rows = _rows(folder / "accuracies.csv")
    assert [(row["who"], row["views"]) for row in rows] == [
        (who, views) for who in ("job 1 (best)", "job 2 (best)", "vote") for views in ("0", "3")
    ]
    assert summary["test/accuracy"] == float(rows[-1]["accuracy"]) != plain["test/accuracy"]
    assert reporter.seen == 2 * 4 * 40
    again = _evaluate(make_order, others, test_time_augmentation=views)
    assert (again[0] / "predictions.csv").read_bytes() == (folder / "predictions.csv").read_bytes()
    other = _evaluate(make_order, others, test_time_augmentation=views | {"seed": 1})
    assert (other[0] / "predictions.csv").read_bytes() != (folder / "predictions.csv").read_bytes()


def test_the_validation_part_is_the_one_that_the_runs_set_aside(make_order, others, tiny_mnist):
    data = load_images("mnist", tiny_mnist)
    _, kept = split_validation(data.train_labels, 0.1, 0)
    one, two = _told(others, data.train_images[kept])
    _, summary, _ = _evaluate(make_order, others, split="val")
    assert summary["images"] == 28
    assert summary["val/accuracy"] == ((one + two).argmax(axis=1) == data.train_labels[kept]).mean()
    alone = _evaluate(make_order, others[1:], split="val")[1]
    assert alone["val/accuracy"] == json.loads((others[1] / "run.json").read_text())["metrics"]["val/accuracy"]


def test_the_training_split_is_all_that_the_dataset_delivers(make_order, others):
    assert _evaluate(make_order, others[:1], split="train")[1]["images"] == 284


def test_photographs_are_seen_as_in_training_and_told_by_name(make_order, tmp_path):
    photos = write_staged(tmp_path / "shapes", {"train": 20, "test": 7})
    layers = [{"type": "Conv2D", "filters": 4, "kernel_size": 3, "strides": 4}, {"type": "GlobalAveragePooling2D"}]
    spec = {"kind": "train", "dataset": "ada/shapes@1", "network": {"layers": [*layers, {"type": "Dense", "units": 3}]}}
    order = make_order(spec | {"image_size": 32, "epochs": 1, "batch_size": 8})
    order = order.model_copy(update={"inputs": {"dataset": photos}})
    _, trained = run(order)
    for split, count in (("test", 7), ("val", 2)):
        folder, summary, _ = _evaluate(make_order, [order.folder], dataset=photos, split=split)
        assert summary["images"] == count
        assert summary[f"{split}/accuracy"] == pytest.approx(trained[f"{split}/accuracy"])
        assert _rows(folder / "predictions.csv")[0]["name"].endswith(".jpg")


def test_a_stopped_job_ends_between_two_batches(make_order, others):
    reporter = StoppingReporter(stop_at=48)
    with pytest.raises(Interruption):
        _evaluate(make_order, others, reporter)
    assert reporter.seen == 56  # the last batch of the first run holds 8, and then the second run's first
    assert reporter.of(Artifact) == []


def test_progress_counts_all_runs(make_order, others):
    events = []
    _evaluate(make_order, others, Reporter(events.append, progress_every_s=0.0))
    told = [(event.step, event.steps) for event in events if isinstance(event, Progress)]
    assert told == [(16, 80), (32, 80), (40, 80), (56, 80), (72, 80), (80, 80)]


def test_a_dataset_whose_classes_have_become_others_ends_the_job(make_order, others, tmp_path):
    photos = write_staged(tmp_path / "shapes", {"train": 6, "test": 3})
    with pytest.raises(DatasetUnsuitable, match="Expected the classes of job 1"):
        _evaluate(make_order, others, dataset=photos)
