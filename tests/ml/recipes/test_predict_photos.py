"""The predict recipe on photographs of somebody's own."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from ml.recipes.predict import predict
from records.specs import PredictSpec
from tests.ml.recipes.stopping import StoppingReporter, run
from tests.ml.staged import write_staged

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21

LAYERS = [
    {"type": "Conv2D", "filters": 8, "kernel_size": 3, "strides": 2, "activation": "relu"},
    {"type": "GlobalAveragePooling2D"},
    {"type": "Dense", "units": 3},
]
TRAINED: dict[str, Any] = {
    "kind": "train",
    "dataset": "ada/shapes@1",
    "network": {"layers": LAYERS},
    "image_size": 32,
    "epochs": 3,
    "batch_size": 16,
    "learning_rate": 0.01,
}


def _predict(order: Any, trained: Path, **fields: Any) -> tuple[Path, dict[str, Any]]:
    spec = PredictSpec(**{"run": {"job": 1}, "dataset": "ada/shapes@1", "split": "val", "batch_size": 7, **fields})
    files = {"run": trained / "run.json", "weights": trained / "best.weights.h5"}
    order = order.model_copy(update={"inputs": {**order.inputs, **files}})
    return order.folder, predict(spec, order, StoppingReporter())


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_photographs_score_as_they_did_in_the_models_own_evaluation(make_order, tmp_path):
    shapes = write_staged(tmp_path / "shapes", {"train": 60, "val": 31}, sizes=((480, 333), (200, 700), (64, 64)))
    order = make_order(TRAINED)
    _, told = run(order.model_copy(update={"inputs": {"dataset": shapes}, "cache": tmp_path}))
    assert told is not None
    again = make_order({}).model_copy(update={"inputs": {"dataset": shapes}})
    folder, summary = _predict(again, order.folder)
    assert (summary["images"], summary["val/accuracy"]) == (31, told["val/accuracy"])
    said = json.loads((folder / "confusion-matrix.json").read_text())["matrix"]
    assert said == json.loads((order.folder / "confusion-matrix.json").read_text())["matrix"]
    rows = _rows(folder)
    assert [(row["split"], row["index"], row["name"]) for row in rows[:2]] == [
        ("val", "0", "stripes/0.jpg"),
        ("val", "1", "disc/1.jpg"),
    ]


def test_photographs_are_fitted_to_a_model_of_small_images(make_order, trained, tmp_path):
    shapes = write_staged(tmp_path / "shapes", {"train": 6, "test": 5})
    order = make_order({}).model_copy(update={"inputs": {"dataset": shapes}})
    folder, summary = _predict(order, trained, split="all")
    assert summary == {"images": 11}, "other classes than the model's are told, not scored"
    assert {row["split"] for row in _rows(folder)} == {"train", "test"}
