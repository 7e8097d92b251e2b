"""The finetune recipe, from an earlier job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from ml.engine.checkpoint import read_checkpoint
from records.errors import ModelUnreadable, ResumeImpossible
from records.events import Artifact, FirstStep, Metrics
from records.orders import Order
from tests.ml.recipes.stopping import StoppingReporter, assert_same_end, last_checkpoint, run
from tests.ml.staged import write_staged

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow 2.21
    pytest.mark.usefixtures("deterministic", "watchful"),
]


def _block(name: str, filters: int) -> list[dict[str, Any]]:
    return [
        {"type": "Conv2D", "name": name, "filters": filters, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"type": "BatchNormalization", "name": f"{name}_norm", "momentum": 0.5},
        {"type": "Activation", "name": f"{name}_activation", "activation": "relu"},
    ]


LAYERS = [
    *_block("c1", 8),
    *_block("c2", 8),
    *_block("c3", 16),
    {"type": "GlobalAveragePooling2D", "name": "pool"},
    {"type": "Dropout", "name": "dropout", "rate": 0.2},
    {"type": "Dense", "name": "last", "units": 3},
]
"""Three blocks and a head; traced in a second."""
TRAINED: dict[str, Any] = {
    "kind": "train",
    "dataset": "ada/shapes@1",
    "network": {"layers": LAYERS},
    "image_size": 32,
    "epochs": 2,
    "batch_size": 16,
    "learning_rate": 0.005,
}
PLAIN: dict[str, Any] = {
    "kind": "finetune",
    "dataset": "ada/others@1",
    "base": {"job": 1},
    "head_epochs": 2,
    "epochs": 2,
    "batch_size": 16,
    "seed": 5,
}
STEPS = 3
"""An epoch: 40 photographs in batches of 16."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a network that has learned stripes, discs and squares."""
    folder = tmp_path_factory.mktemp("base")
    shapes = write_staged(folder / "shapes", {"train": 60, "val": 12})
    order = Order.model_validate(
        {
            "job_id": 1,
            "attempt_number": 1,
            "spec": TRAINED,
            "device": {"name": "cpu:0", "kind": "cpu", "index": 0, "memory_bytes": 2**30, "threads": 1},
            "inputs": {"dataset": shapes},
            "folder": folder,
        }
    )
    run(order)
    return folder


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Discs and squares, other ones."""
    return write_staged(
        tmp_path_factory.mktemp("others") / "set", {"train": 40, "val": 14}, classes=("disc", "square"), seed=9
    )


@pytest.fixture
def order_of(make_order, base, others, tmp_path):
    """Makes orders, with one cache."""

    def make(
        spec: dict[str, Any], *, checkpoint: Path | None = None, folder: Path = others, from_: Path = base
    ) -> Order:
        inputs = {"dataset": folder, "weights": from_ / "best.weights.h5", "run": from_ / "run.json"}
        order = make_order(spec, checkpoint=checkpoint)
        return order.model_copy(update={"inputs": inputs, "cache": tmp_path / "cache"})

    return make


def model_weights(path: Path) -> dict[str, list[np.ndarray]]:
    model = keras.models.load_model(path / "model.keras")
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def test_a_head_of_its_own_learns_first_and_then_the_upper_layers(order_of, base):
    order = order_of(PLAIN | {"early_stopping": {"metric": "val/loss", "patience": 10}})  # the second stage lowers it
    reporter, summary = run(order)
    assert summary is not None
    assert summary["epochs"] == 4
    assert len(reporter.of(FirstStep)) == 1
    before, after = model_weights(base), model_weights(order.folder)
    assert after["logits"][0].shape == (before["logits"][0].shape[0], 2)
    moved = {name for name in after if name != "logits" and not np.array_equal(after[name][0], before[name][0])}
    assert moved == {"c3"}, "the upper third; batch norms stay"


def test_all_results_are_left(order_of):
    order = order_of(PLAIN)
    reporter, summary = run(order)
    assert summary is not None
    names = {event.name for event in reporter.of(Artifact)}
    assert {"model.keras", "best.weights.h5", "last.weights.h5", "history.csv", "per-class.csv", "run.json"} < names
    record = json.loads((order.folder / "run.json").read_text())
    assert record["classes"] == ["disc", "square"]
    assert record["network"]["layers"][-2]["options"]["units"] == 2
    assert record["metrics"] == summary
    points = {(point.name, point.step) for event in reporter.of(Metrics) for point in event.points}
    assert {("val/accuracy", STEPS * epoch) for epoch in (1, 2, 3, 4)} < points


@pytest.mark.parametrize("stop", [0, 1, STEPS, 2 * STEPS, 2 * STEPS + 1], ids=lambda stop: f"after step {stop}")
def test_a_job_stopped_in_either_stage_or_between_ends_with_the_same_bits(order_of, stop):
    spec = PLAIN | {"augmentation": {"flip": "horizontal", "mixup": 0.2}, "class_weights": "balanced"}
    whole, whole_summary = run(order_of(spec))
    stopped, nothing = run(order_of(spec), stop_at=stop)
    assert nothing is None
    resumed, summary = run(order_of(spec, checkpoint=last_checkpoint(stopped)))
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))
    assert summary == whole_summary


def test_the_checkpoint_at_the_end_of_the_first_stage_leads_to_the_same_bits(order_of):
    whole, _ = run(order_of(PLAIN))
    order = order_of(PLAIN)
    run(order, stop_at=2 * STEPS + 1)
    end = order.folder / f"checkpoint-{2 * STEPS}.npz"
    assert read_checkpoint(end)[1]["state"]["stage"] in (1, 2)
    resumed, _ = run(order_of(PLAIN, checkpoint=end))
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))


def test_learning_from_kept_features_is_learning_from_the_images_to_rounding(order_of, monkeypatch):
    spec = PLAIN | {"head_epochs": 3, "epochs": 0, "head_learning_rate": 0.01}
    kept, summary = run(order_of(spec))
    monkeypatch.setattr("ml.engine.stages.feature_layer", lambda *_: None)
    plain, plain_summary = run(order_of(spec))
    one, other = (read_checkpoint(last_checkpoint(reporter))[0] for reporter in (kept, plain))
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=2e-3, atol=2e-5, err_msg=name)
    assert summary["val/loss"] == pytest.approx(plain_summary["val/loss"], rel=1e-3)


def test_lower_blocks_learn_at_lower_rates(order_of):
    """By plain gradient steps, a block's weights move in proportion to its share of the rate."""
    spec = PLAIN | {"head_epochs": 0, "epochs": 1, "batch_size": 40, "unfreeze_from": "c2", "augmentation": None}
    spec |= {"optimizer": {"name": "sgd", "momentum": 0.0}, "schedule": {"name": "constant"}, "learning_rate": 0.01}
    moves = []
    for decay in (1.0, 0.5):
        order = order_of(spec | {"rate_decay": decay})
        run(order)
        start, _ = run(order_of(spec | {"rate_decay": decay}), stop_at=0)
        before = {n: a for n, a in read_checkpoint(last_checkpoint(start))[0].items() if n.startswith("model/")}
        after = read_checkpoint(order.folder / "checkpoint-1.npz")[0]
        moves.append({name: after[name] - array for name, array in before.items() if array.dtype.kind == "f"})
    ratios = {}
    for name, move in moves[0].items():
        if abs(move).max() > 1e-6:
            ratios[name] = round(float(np.linalg.norm(moves[1][name]) / np.linalg.norm(move)), 3)
    assert set(ratios.values()) == {1.0, 0.5, 0.25}  # head, c3, c2


def test_batch_norms_learn_where_that_is_asked(order_of, base):
    order = order_of(PLAIN | {"train_norms": True, "head_epochs": 0, "epochs": 1, "unfreeze_from": "c2_norm"})
    run(order)
    before, after = model_weights(base), model_weights(order.folder)
    for name in ("c2_norm", "c3_norm"):
        assert not np.array_equal(before[name][2], after[name][2]), "the mean that it follows"
    np.testing.assert_array_equal(before["c1_norm"][2], after["c1_norm"][2])
    np.testing.assert_array_equal(before["c2"][0], after["c2"][0])


def test_early_stopping_ends_the_second_stage_alone(order_of):
    rule = {"metric": "val/loss", "patience": 1, "min_delta": 50.0}
    _, summary = run(order_of(PLAIN | {"head_epochs": 4, "epochs": 10, "early_stopping": rule}))
    assert summary["epochs"] == 4 + 2


def test_a_finetuned_network_can_be_finetuned_again(order_of, tmp_path):
    first = order_of(PLAIN | {"epochs": 0})
    run(first)
    three = write_staged(tmp_path / "three", {"train": 30, "val": 9, "test": 6})
    order = order_of(PLAIN | {"epochs": 0}, folder=three, from_=first.folder)
    _, summary = run(order)
    assert "test/accuracy" in summary
    assert json.loads((order.folder / "run.json").read_text())["classes"] == ["stripes", "disc", "square"]


def test_weights_of_another_network_are_refused(order_of, base, tmp_path):
    record = json.loads((base / "run.json").read_text())
    record["spec"]["network"]["layers"][0]["filters"] = 9
    other = tmp_path / "other"
    other.mkdir()
    (other / "run.json").write_text(json.dumps(record))
    (other / "best.weights.h5").write_bytes((base / "best.weights.h5").read_bytes())
    with pytest.raises(ModelUnreadable, match="does not hold the weights of own"):
        run(order_of(PLAIN, from_=other))


def test_a_checkpoint_of_another_job_is_refused(order_of):
    stopped, _ = run(order_of(PLAIN), stop_at=1)
    with pytest.raises(ResumeImpossible, match="rate_decay"):
        run(order_of(PLAIN | {"rate_decay": 0.5}, checkpoint=last_checkpoint(stopped)))


def test_events_are_those_of_a_training(order_of):
    reporter, _ = run(order_of(PLAIN | {"head_epochs": 1, "epochs": 1}))
    assert isinstance(reporter, StoppingReporter)
    assert reporter.seen == 2 * STEPS
