"""The train recipe on photographs that somebody uploaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from ml.datasets import list_photos
from ml.engine.photos import bring_photo
from ml.sizing import Sizing
from records.events import Artifact, Facts, Metrics
from tests.ml.recipes.stopping import assert_same_end, last_checkpoint, run
from tests.ml.staged import write_staged

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow 2.21
    pytest.mark.usefixtures("deterministic", "watchful"),
]

PLAIN: dict[str, Any] = {
    "kind": "train",
    "dataset": "ada/shapes@1",
    "network": {"name": "plain_cnn", "options": {"filters": [8, 16]}},
    "image_size": 32,
    "epochs": 2,
    "batch_size": 16,
    "learning_rate": 0.005,
    "seed": 7,
}
RANDOM = PLAIN | {
    "augmentation": {"flip": "horizontal", "crop": {"scale": [0.5, 1.0]}, "brightness": 0.2, "cutmix": 1.0},
    "label_smoothing": 0.1,
    "class_weights": "balanced",
}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stripes, discs and squares, without a test split."""
    return write_staged(tmp_path_factory.mktemp("staged") / "shapes", {"train": 60, "val": 18})


@pytest.fixture
def order_of(make_order, shapes, tmp_path):
    """Makes orders for the photographs, with one cache."""

    def make(spec: dict[str, Any], *, folder: Path = shapes, checkpoint: Path | None = None):
        order = make_order(spec, checkpoint=checkpoint)
        return order.model_copy(update={"inputs": {"dataset": folder}, "cache": tmp_path / "cache"})

    return make


def test_photographs_without_a_test_split_are_reported_on_by_validation_under_its_name(order_of):
    order = order_of(PLAIN | {"epochs": 6})
    reporter, summary = run(order)
    assert summary is not None
    assert set(summary) == {"val/accuracy", "val/loss", "epochs", "best_epoch"}
    assert summary["val/accuracy"] > 0.7
    points = {point.name for event in reporter.of(Metrics) for point in event.points}
    assert not any(name.startswith("test/") for name in points)
    for name in ("confusion-matrix.json", "per-class.json", "calibration.json"):
        assert json.loads((order.folder / name).read_text())["split"] == "val"
    per_class = json.loads((order.folder / "per-class.json").read_text())
    assert [row["support"] for row in per_class["classes"]] == [6, 6, 6]
    facts = reporter.of(Facts)[0].facts
    assert facts["images"] == {"train": 60, "val": 18}
    assert facts["image_shape"] == (32, 32, 3)
    assert "grad-cam.png" not in {event.name for event in reporter.of(Artifact)}  # too small to see anything on


def test_a_test_split_is_tested_on(order_of, tmp_path):
    folder = write_staged(tmp_path / "tested", {"train": 30, "val": 6, "test": 9})
    order = order_of(PLAIN | {"image_size": 64}, folder=folder)
    _, summary = run(order)
    assert summary is not None
    assert {"test/accuracy", "test/loss"} < set(summary)
    assert json.loads((order.folder / "confusion-matrix.json").read_text())["split"] == "test"
    with Image.open(order.folder / "grad-cam.png") as sheet:
        assert min(sheet.size) > 400


def test_a_training_with_all_that_is_random_resumes_to_the_same_bits(order_of):
    whole, whole_summary = run(order_of(RANDOM))
    stopped, _ = run(order_of(RANDOM), stop_at=3)
    resumed, summary = run(order_of(RANDOM, checkpoint=last_checkpoint(stopped)))
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))
    assert summary == whole_summary


def test_a_later_job_decodes_nothing_and_ends_with_the_same_bits(order_of, shapes, tmp_path):
    first, _ = run(order_of(PLAIN))
    empty = tmp_path / "empty"
    (empty / "images").mkdir(parents=True)
    (empty / "manifest.json").write_bytes((shapes / "manifest.json").read_bytes())
    for file in (shapes / "images").iterdir():
        (empty / "images" / file.name).touch()
    again, _ = run(order_of(PLAIN, folder=empty))
    assert_same_end(last_checkpoint(first), last_checkpoint(again))


def test_the_saved_model_brings_its_own_preprocessing(order_of, shapes):
    """A raw photograph, brought to the size alone, is told as in the report."""
    order = order_of(PLAIN | {"epochs": 3})
    run(order)
    model = keras.models.load_model(order.folder / "model.keras")
    photos = list_photos(shapes)
    pictures = [
        bring_photo(
            photos.files[row].read_bytes(), is_png=False, size=tuple(photos.sizes[row]), sizing=Sizing(32, 32, 3)
        )
        for row in photos.splits["val"]
    ]
    said = np.asarray(model(np.stack(pictures).astype(np.float32))).argmax(axis=1)
    matrix = np.array(json.loads((order.folder / "confusion-matrix.json").read_text())["matrix"])
    assert np.bincount(said, minlength=3).tolist() == matrix.sum(axis=0).tolist()
