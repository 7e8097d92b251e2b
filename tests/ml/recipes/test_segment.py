"""The segment recipe: learns, stops and goes on to the same bits, and leaves what people want to see."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from ml.datasets.scenes import list_scenes, read_scene
from ml.run_record import read_record
from records.errors import DatasetUnsuitable, ResumeImpossible
from records.events import Artifact, Facts, Metrics
from tests.ml.recipes.stopping import assert_same_end, last_checkpoint, run
from tests.ml.scenes import CLASSES, write_scenes

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow 2.21
    pytest.mark.usefixtures("deterministic", "watchful"),
]

PLAIN: dict[str, Any] = {
    "kind": "segment",
    "dataset": "ada/shapes@1",
    "network": {"name": "unet", "options": {"filters": 8, "depth": 2}},
    "crop_size": 32,
    "crops_per_image": 2,
    "epochs": 2,
    "batch_size": 8,
    "learning_rate": 0.01,
    "seed": 7,
}
RANDOM = PLAIN | {
    "network": {"name": "unet", "options": {"filters": 4, "depth": 2, "dropout": 0.3}},
    "augmentation": {"flip": "both", "rotate_degrees": 20, "scale": [0.7, 1.4], "brightness": 0.2, "hue_degrees": 10},
    "loss": {"focal": 1.0},
    "class_weights": "balanced",
    "schedule": {"name": "plateau", "patience": 1},
}
METRICS = {"loss", "accuracy", "mean_iou", "dice", "boundary_f1"}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("staged") / "shapes", {"train": 12, "val": 5})


@pytest.fixture
def order_of(make_order, shapes):
    def make(spec: dict[str, Any], *, folder: Path = shapes, checkpoint: Path | None = None, **inputs: Path):
        order = make_order(spec, checkpoint=checkpoint)
        return order.model_copy(update={"inputs": {"dataset": folder, **inputs}})

    return make


@pytest.fixture(scope="module")
def learned(tmp_path_factory, shapes):
    """A training that has ended: its order, its events and its summary."""
    from records.orders import Order, OrderedDevice

    order = Order(
        job_id=1,
        attempt_number=1,
        spec=PLAIN | {"epochs": 12},
        device=OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1),
        inputs={"dataset": shapes},
        folder=tmp_path_factory.mktemp("learned"),
    )
    return order, *run(order)


def test_it_learns_to_tell_shapes_from_noise(learned):
    _, reporter, summary = learned
    assert set(summary) == {*(f"val/{name}" for name in METRICS), "epochs", "best_epoch"}
    assert summary["val/mean_iou"] > 0.7
    facts = reporter.of(Facts)[0].facts
    assert facts["images"] == {"train": 12, "val": 5}
    assert tuple(facts["classes"]) == CLASSES
    points = {point.name for event in reporter.of(Metrics) for point in event.points}
    assert points >= {f"val/{name}" for name in METRICS} | {"train/loss", "train/accuracy", "learning_rate"}


def test_the_best_epoch_is_that_of_the_best_overlap(learned):
    order, _, summary = learned
    rows = list(csv.DictReader((order.folder / "history.csv").read_text().splitlines()))
    best = max(rows, key=lambda row: float(row["val/mean_iou"]))
    assert summary["best_epoch"] == int(best["epoch"])
    assert summary["val/mean_iou"] == pytest.approx(float(best["val/mean_iou"]))


def test_its_files_tell_the_same(learned):
    order, reporter, summary = learned
    kept = {event.name for event in reporter.of(Artifact)}
    assert kept >= {
        *("best.weights.h5", "last.weights.h5", "model.keras", "run.json", "history.csv", "learning-curves.png"),
        *("confusion-matrix.json", "confusion-matrix.png", "per-class.json", "per-class.csv"),
        *("overlays.png", "worst.png"),
    }
    table = json.loads((order.folder / "per-class.json").read_text())
    assert table["split"] == "val"
    assert [row["class"] for row in table["classes"]] == list(CLASSES)
    assert np.mean([row["iou"] for row in table["classes"]]) == pytest.approx(summary["val/mean_iou"])
    matrix = np.array(json.loads((order.folder / "confusion-matrix.json").read_text())["matrix"])
    scenes = list_scenes(order.inputs["dataset"])
    labelled = sum((read_scene(scenes, row, channels=3).mask != 255).sum() for row in scenes.splits["val"])
    assert matrix.sum() == labelled
    assert np.trace(matrix) / labelled == pytest.approx(summary["val/accuracy"])
    for name in ("overlays.png", "worst.png"):
        with Image.open(order.folder / name) as sheet:
            assert min(sheet.size) > 400


def test_the_network_can_be_drawn_again_from_the_record(learned):
    order, *_ = learned
    record = read_record(order.folder / "run.json")
    network = record.draw()
    assert network.output_shape == (32, 32, 3)
    model = keras.models.load_model(order.folder / "model.keras")
    assert model.count_params() == network.parameters


def test_a_test_split_is_tested_on(order_of, tmp_path):
    folder = write_scenes(tmp_path / "tested", {"train": 4, "test": 2})
    order = order_of(PLAIN | {"epochs": 1, "validation_fraction": 0.5}, folder=folder)
    _, summary = run(order)
    assert {f"test/{name}" for name in METRICS} < set(summary)
    record = json.loads((order.folder / "run.json").read_text())
    assert record["images"] == {"train": 2, "val": 2, "test": 2}
    assert json.loads((order.folder / "per-class.json").read_text())["split"] == "test"


@pytest.mark.parametrize("stop_at", [2, 3])
def test_a_training_with_all_that_is_random_resumes_to_the_same_bits(order_of, stop_at):
    """Three steps an epoch: stopped within the first, and at its end before it was scored."""
    whole, whole_summary = run(order_of(RANDOM))
    stopped, nothing = run(order_of(RANDOM), stop_at=stop_at)
    assert nothing is None
    resumed, summary = run(order_of(RANDOM, checkpoint=last_checkpoint(stopped)))
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))
    assert summary == whole_summary


def test_a_checkpoint_of_another_loss_is_refused(order_of):
    stopped, _ = run(order_of(PLAIN), stop_at=2)
    with pytest.raises(ResumeImpossible, match="loss"):
        run(order_of(PLAIN | {"loss": {"dice": 2.0}}, checkpoint=last_checkpoint(stopped)))


def test_it_stops_early(order_of):
    spec = PLAIN | {"epochs": 9, "learning_rate": 1e-9, "early_stopping": {"patience": 1, "min_delta": 0.9}}
    _, summary = run(order_of(spec))
    assert summary["epochs"] == 2


def test_a_class_without_a_pixel_to_train_on_is_named(order_of, tmp_path):
    folder = write_scenes(tmp_path / "more", {"train": 4, "val": 1}, classes=(*CLASSES, "star"))
    with pytest.raises(DatasetUnsuitable, match="got none for star"):
        run(order_of(PLAIN, folder=folder))


def test_a_single_picture_is_too_few(order_of, tmp_path):
    with pytest.raises(DatasetUnsuitable, match="at least 2 images"):
        run(order_of(PLAIN, folder=write_scenes(tmp_path / "one", {"train": 1})))


def test_pictures_smaller_than_the_crop_are_taken(order_of, tmp_path):
    folder = write_scenes(tmp_path / "small", {"train": 4, "val": 2}, sizes=[(20, 24)], channels=1)
    _, summary = run(order_of(PLAIN | {"epochs": 1, "crop_size": [32, 48]}, folder=folder))
    assert 0 <= summary["val/mean_iou"] <= 1


def test_it_learns_on_a_backbone_that_an_earlier_job_trained(order_of, make_order, tmp_path):
    from tests.ml.staged import write_staged

    photos = write_staged(tmp_path / "photos", {"train": 6, "val": 3})
    spec = {"kind": "train", "dataset": "photos", "network": {"name": "plain_cnn", "options": {"filters": [8, 16]}}}
    earlier = make_order(spec | {"image_size": 32, "epochs": 1}).model_copy(update={"inputs": {"dataset": photos}})
    run(earlier)
    spec = PLAIN | {
        "network": {"name": "unet", "options": {"filters": 8}},
        "base": {"job": 1},
        "backbone_rate": 0.1,
        "epochs": 1,
    }
    files = {"run": earlier.folder / "run.json", "weights": earlier.folder / "best.weights.h5"}
    whole, summary = run(order_of(spec, **files))
    assert summary["val/mean_iou"] > 0
    stopped, _ = run(order_of(spec, **files), stop_at=1)
    resumed, _ = run(order_of(spec, checkpoint=last_checkpoint(stopped), **files))
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))
