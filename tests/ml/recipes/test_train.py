"""The train recipe, called as a notebook would call it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from ml.engine.checkpoint import read_checkpoint
from ml.engine.data import load_parts
from records.errors import DiskFull, Diverged, ResumeImpossible
from records.events import Artifact, Checkpoint, Facts, FirstStep, Metrics, Stage
from records.orders import Order
from records.specs import parse_spec
from records.thrift import Thrift
from tests.ml.recipes.stopping import StoppingReporter, assert_same_end, last_checkpoint, run

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow 2.21
    pytest.mark.usefixtures("deterministic", "watchful"),
]

MakeOrder = Callable[..., Order]

PLAIN: dict[str, Any] = {
    "kind": "train",
    "dataset": "mnist",
    "network": {"name": "lenet5"},
    "epochs": 3,
    "batch_size": 48,
    "seed": 7,
}
EVERYTHING_RANDOM = PLAIN | {
    "network": {"name": "lenet5", "options": {"dropout": 0.3}},
    "augmentation": {"shift": 0.1, "rotate_degrees": 10, "zoom": 0.1},
}
STEPS_PER_EPOCH = 6
"""256 images in batches of 48; the last holds 16."""


CASES = {
    "cosine with dropout and augmentation": EVERYTHING_RANDOM | {"schedule": {"name": "cosine"}},
    "plateau with SGD and momentum": EVERYTHING_RANDOM
    | {
        "epochs": 4,
        "optimizer": {"name": "sgd"},
        "learning_rate": 0.01,
        "schedule": {"name": "plateau", "patience": 1, "min_delta": 50.0},
        "early_stopping": {"metric": "val/accuracy", "patience": 3},
    },
    "one cycle with AdamW and class weights": EVERYTHING_RANDOM
    | {"optimizer": {"name": "adamw"}, "schedule": {"name": "one_cycle"}, "class_weights": "balanced"},
}


NORMED = {
    "layers": [
        {"type": "Conv2D", "name": "c", "filters": 4, "kernel_size": 3, "strides": 3, "use_bias": False},
        {"type": "BatchNormalization", "name": "norm"},
        {"type": "Activation", "activation": "relu"},
        {"type": "Flatten"},
        {"type": "Dropout", "rate": 0.2},
        {"type": "Dense", "units": 10},
    ]
}
OPTIONS = {
    "a moving average": {"network": NORMED, "averaging": {"name": "ema", "decay": 0.9}},
    "a mean over epochs": {"network": NORMED, "averaging": {"name": "swa", "start_fraction": 0.25}},
    "rubber and hidden parts": {"augmentation": {"shift": 0.1, "elastic": {}, "erase": {"probability": 0.8}}},
    "smooth labels and a split of its own": {"label_smoothing": 0.1, "split_seed": 3},
}


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS.keys())
def test_each_option_leads_to_the_same_bits_after_stops_within_and_at_the_end_of_epochs(
    make_order: MakeOrder, option: dict[str, Any]
) -> None:
    spec = PLAIN | {"epochs": 4} | option
    whole, whole_summary = run(make_order(spec))
    checkpoint = None
    for stop in (STEPS_PER_EPOCH + 3, 3 * STEPS_PER_EPOCH):
        stopped, _ = run(make_order(spec, checkpoint=checkpoint), stop_at=stop)
        checkpoint = last_checkpoint(stopped)
    order = make_order(spec, checkpoint=checkpoint)
    resumed, summary = run(order)
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))
    assert summary == whole_summary
    record = json.loads((order.folder / "run.json").read_text())
    assert parse_spec(record["spec"]) == parse_spec(spec)


@pytest.mark.parametrize("name", ["ema", "swa"])
def test_it_is_the_average_that_is_validated_tested_and_kept(make_order: MakeOrder, name: str) -> None:
    averaging = {"name": "ema", "decay": 0.9} if name == "ema" else {"name": "swa", "start_fraction": 0.0}
    order = make_order(PLAIN | {"epochs": 4, "network": NORMED, "averaging": averaging, "learning_rate": 0.005})
    reporter, summary = run(order)
    assert summary is not None
    arrays = read_checkpoint(last_checkpoint(reporter))[0]
    model = keras.models.load_model(order.folder / "model.keras")
    model.load_weights(order.folder / "last.weights.h5")
    kept = model.get_layer("c").kernel.numpy()
    assert any(np.array_equal(kept, array) for key, array in arrays.items() if key.startswith("average/"))
    assert not any(np.array_equal(kept, array) for key, array in arrays.items() if key.startswith("model/"))
    plain, plain_summary = run(make_order(PLAIN | {"epochs": 4, "network": NORMED, "learning_rate": 0.005}))
    assert plain_summary is not None
    assert plain_summary["val/loss"] != summary["val/loss"]
    trained = [array for key, array in arrays.items() if key.startswith("model/")]
    other = read_checkpoint(last_checkpoint(plain))[0]
    for array, same in zip(trained, (other[key] for key in other if key.startswith("model/")), strict=True):
        np.testing.assert_array_equal(array, same)  # training itself does not see the average


def test_a_split_seed_sets_the_same_images_aside_whatever_the_seed(make_order: MakeOrder) -> None:
    def validation(**fields: int) -> np.ndarray:
        spec = parse_spec(PLAIN | fields)
        return load_parts(spec, make_order(PLAIN | fields), StoppingReporter()).val.rows

    np.testing.assert_array_equal(validation(seed=1, split_seed=5), validation(seed=2, split_seed=5))
    np.testing.assert_array_equal(validation(seed=5), validation(seed=2, split_seed=5))
    assert not np.array_equal(validation(seed=1), validation(seed=2))


@pytest.mark.slow
@pytest.mark.parametrize("spec", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize(
    "stops",
    [(4,), (STEPS_PER_EPOCH,), (3, 9)],
    ids=["within an epoch", "at an epoch's end", "twice"],
)
def test_an_interrupted_training_ends_with_the_same_bits(
    make_order: MakeOrder, spec: dict[str, Any], stops: tuple[int, ...]
) -> None:
    whole, _ = run(make_order(spec))
    checkpoint = None
    for stop in stops:
        stopped, summary = run(make_order(spec, checkpoint=checkpoint), stop_at=stop)
        assert summary is None
        checkpoint = last_checkpoint(stopped)
        assert checkpoint.name == f"checkpoint-{stop}.npz"
    resumed, summary = run(make_order(spec, checkpoint=checkpoint))
    assert summary is not None
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))


def test_a_training_stopped_within_an_epoch_ends_with_the_same_bits(make_order: MakeOrder) -> None:
    spec = EVERYTHING_RANDOM | {"epochs": 2}
    whole, whole_summary = run(make_order(spec))
    stopped, _ = run(make_order(spec), stop_at=4)
    resumed, summary = run(make_order(spec, checkpoint=last_checkpoint(stopped)))
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))
    assert summary == whole_summary


@pytest.mark.parametrize("saving", [{"micro_batch": 20}, {"precision": "mixed"}, {"recompute": True}], ids=str)
def test_a_training_that_saves_memory_resumes_with_the_same_bits(make_order: MakeOrder, saving: dict[str, Any]) -> None:
    spec = EVERYTHING_RANDOM | {"epochs": 1} | saving
    whole, _ = run(make_order(spec))
    stopped, _ = run(make_order(spec), stop_at=4)
    resumed, _ = run(make_order(spec, checkpoint=last_checkpoint(stopped)))
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))


def test_a_rung_goes_on_from_the_checkpoint_with_as_many_steps_and_says_so(make_order: MakeOrder) -> None:
    spec = PLAIN | {"epochs": 2}
    whole, _ = run(make_order(spec))
    stopped, _ = run(make_order(spec), stop_at=4)
    order = make_order(spec, checkpoint=last_checkpoint(stopped))
    thrift = Thrift(micro_batch=10, precision="mixed", recompute=True)
    resumed, summary = run(order.model_copy(update={"thrift": thrift}))
    assert summary is not None
    assert last_checkpoint(resumed).name == last_checkpoint(whole).name == f"checkpoint-{2 * STEPS_PER_EPOCH}.npz"
    facts = {name: value for event in resumed.of(Facts) for name, value in event.facts.items()}
    assert facts["resumed_from_step"] == 4
    assert facts["thrift"] == thrift.model_dump() | {"policy": "mixed_bfloat16", "batch_size": 48}
    assert json.loads((order.folder / "run.json").read_text())["thrift"] == facts["thrift"]


def test_the_record_notes_that_batch_normalisation_sees_the_micro_batch(make_order: MakeOrder) -> None:
    network = {"layers": [{"type": "Flatten"}, {"type": "BatchNormalization"}, {"type": "Dense", "units": 10}]}
    reporter, _ = run(make_order(PLAIN | {"epochs": 1, "micro_batch": 12, "network": network}))
    facts = {name: value for event in reporter.of(Facts) for name, value in event.facts.items()}
    assert "sees micro-batches of 12 images, not batches of 48" in facts["thrift"]["note"]


def test_the_checkpoint_of_a_scored_epoch_leads_to_the_same_bits(make_order: MakeOrder) -> None:
    spec = EVERYTHING_RANDOM | {"epochs": 2}
    whole, _ = run(make_order(spec))
    order = make_order(spec)
    run(order, stop_at=STEPS_PER_EPOCH + 1)
    resumed, _ = run(make_order(spec, checkpoint=order.folder / f"checkpoint-{STEPS_PER_EPOCH}.npz"))
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))


def test_a_training_asked_to_stop_before_its_first_step_leaves_a_checkpoint_of_the_start(make_order: MakeOrder) -> None:
    stopped, summary = run(make_order(PLAIN), stop_at=0)
    assert summary is None
    assert last_checkpoint(stopped).name == "checkpoint-0.npz"


def test_a_resumed_training_reports_the_same_points_as_the_lost_one(make_order: MakeOrder) -> None:
    def points(*reporters: StoppingReporter) -> dict[tuple[str, int], float | None]:
        all_points = [point for reporter in reporters for event in reporter.of(Metrics) for point in event.points]
        return {(p.name, p.step): p.value for p in all_points if p.name != "images_per_s"}

    whole, _ = run(make_order(PLAIN))
    stopped, _ = run(make_order(PLAIN), stop_at=8)
    resumed, _ = run(make_order(PLAIN, checkpoint=last_checkpoint(stopped)))
    assert points(stopped, resumed) == points(whole)


def test_another_seed_gives_other_weights(make_order: MakeOrder) -> None:
    one, _ = run(make_order(PLAIN | {"epochs": 1}))
    other, _ = run(make_order(PLAIN | {"epochs": 1, "seed": 8}))
    one_arrays, other_arrays = read_checkpoint(last_checkpoint(one))[0], read_checkpoint(last_checkpoint(other))[0]
    assert not np.array_equal(one_arrays["model/0000"], other_arrays["model/0000"])


def test_a_training_leaves_all_its_results(make_order: MakeOrder) -> None:
    order = make_order(PLAIN | {"learning_rate": 0.005, "epochs": 6})
    reporter, summary = run(order)
    assert summary is not None
    artifacts = {event.name: event for event in reporter.of(Artifact)}
    event_file = next(name for name in artifacts if "tfevents" in name)
    assert set(artifacts) - {event_file} == {
        "model.keras",
        "best.weights.h5",
        "last.weights.h5",
        "history.csv",
        "learning-curves.png",
        "confusion-matrix.json",
        "confusion-matrix.png",
        "per-class.json",
        "per-class.csv",
        "calibration.json",
        "calibration.png",
        "mistakes.png",
        "run.json",
    }
    assert all(event.path.stat().st_size > 0 for event in artifacts.values())
    assert [event.stage for event in reporter.of(Stage)] == ["loading", "building", "training", "testing", "reporting"]
    assert len(reporter.of(FirstStep)) == 1
    assert reporter.of(Facts)[0].facts["images"] == {"train": 256, "val": 28, "test": 40}

    record = json.loads((order.folder / "run.json").read_text())
    assert record["spec"]["optimizer"] == {"name": "adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
    assert record["git_commit"] == "abc"
    assert record["metrics"] == summary
    rows = list(csv.DictReader((order.folder / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4", "5", "6"]


def test_the_saved_model_gives_the_probabilities_that_were_tested(make_order: MakeOrder, tiny_mnist: Path) -> None:
    from ml.datasets import load_images

    order = make_order(PLAIN | {"learning_rate": 0.005, "epochs": 6})
    _, summary = run(order)
    assert summary is not None
    model = keras.models.load_model(order.folder / "model.keras")
    data = load_images("mnist", tiny_mnist)
    probabilities = np.asarray(model(data.test_images.astype(np.float32)))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == data.test_labels).mean() == pytest.approx(summary["test/accuracy"])
    assert summary["test/accuracy"] > 0.9


def test_the_best_weights_are_those_of_the_best_epoch(make_order: MakeOrder) -> None:
    order = make_order(PLAIN)
    reporter, summary = run(order)
    assert summary is not None
    state = read_checkpoint(last_checkpoint(reporter))[1]["state"]
    losses = [row["val/loss"] for row in state["history"]]
    assert summary["best_epoch"] == 1 + losses.index(min(losses))
    assert summary["val/loss"] == min(losses)


@pytest.mark.parametrize("averaging", [None, {"name": "ema"}, {"name": "swa", "start_fraction": 0.0}])
def test_autograph_can_transform_the_whole_step(
    make_order: MakeOrder, caplog: pytest.LogCaptureFixture, averaging: dict[str, Any] | None
) -> None:
    run(make_order(PLAIN | {"epochs": 2, "averaging": averaging}))
    assert [record.message for record in caplog.records if "AutoGraph" in record.message] == []


def test_early_stopping_ends_training_after_its_patience(make_order: MakeOrder) -> None:
    rule = {"metric": "val/loss", "patience": 2, "min_delta": 50.0}
    _, summary = run(make_order(PLAIN | {"epochs": 10, "early_stopping": rule}))
    assert summary is not None
    assert summary["epochs"] == 3  # the first is the best so far, then two that are not better by 50


def test_a_plateau_lowers_the_rate_from_the_next_epoch_on(make_order: MakeOrder) -> None:
    schedule = {"name": "plateau", "patience": 1, "factor": 0.5, "min_delta": 50.0, "minimum_fraction": 0.2}
    reporter, _ = run(make_order(PLAIN | {"epochs": 5, "learning_rate": 0.001, "schedule": schedule}))
    history = read_checkpoint(last_checkpoint(reporter))[1]["state"]["history"]
    rates = [row["learning_rate"] for row in history]
    assert rates == pytest.approx([0.001, 0.001, 0.0005, 0.00025, 0.0002])


def test_a_loss_that_is_not_finite_ends_as_diverged_without_a_checkpoint_of_it(make_order: MakeOrder) -> None:
    spec = PLAIN | {"optimizer": {"name": "sgd"}, "learning_rate": 10.0, "class_weights": [1e6] * 10}
    order = make_order(spec)
    with pytest.raises(Diverged, match=r"loss .* (nan|inf).*smaller learning_rate"):
        run(order)
    for checkpoint in order.folder.glob("checkpoint-*.npz"):
        assert all(np.isfinite(a).all() for n, a in read_checkpoint(checkpoint)[0].items() if n.startswith("epoch/"))


def test_a_checkpoint_of_another_training_is_refused(make_order: MakeOrder) -> None:
    stopped, _ = run(make_order(PLAIN), stop_at=2)
    for other in ({"seed": 8}, {"batch_size": 32}, {"network": {"name": "lenet5", "options": {"dropout": 0.5}}}):
        with pytest.raises(ResumeImpossible, match=next(iter(other))):
            run(make_order(PLAIN | other, checkpoint=last_checkpoint(stopped)))


def test_fields_without_effect_on_training_may_change_between_attempts(make_order: MakeOrder) -> None:
    stopped, _ = run(make_order(PLAIN), stop_at=2)
    changed = PLAIN | {"name": "renamed", "priority": 5, "checkpoint_every_s": 0.0}
    _, summary = run(make_order(changed, checkpoint=last_checkpoint(stopped)))
    assert summary is not None


def test_only_the_last_two_checkpoints_stay(make_order: MakeOrder) -> None:
    order = make_order(PLAIN | {"checkpoint_every_s": 0.0})
    reporter, _ = run(order)
    assert len(reporter.of(Checkpoint)) > 3 * STEPS_PER_EPOCH - 1
    assert {path.name for path in order.folder.glob("checkpoint-*")} == {"checkpoint-17.npz", "checkpoint-18.npz"}


def test_a_full_disk_ends_training_and_leaves_the_checkpoint_before(
    make_order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    order = make_order(PLAIN)
    sync, calls = os.fsync, []

    def fill_up(fd: int) -> None:
        calls.append(fd)
        if len(calls) > 2:  # a checkpoint syncs its file, then its folder
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(fd)

    monkeypatch.setattr(os, "fsync", fill_up)
    with pytest.raises(DiskFull, match="Expected room for a checkpoint"):
        run(order)
    assert [path.name for path in order.folder.glob("checkpoint-*")] == [f"checkpoint-{STEPS_PER_EPOCH}.npz"]
    read_checkpoint(order.folder / f"checkpoint-{STEPS_PER_EPOCH}.npz")


def test_fewer_training_examples_are_taken_from_what_validation_leaves(make_order: MakeOrder) -> None:
    reporter, _ = run(make_order(PLAIN | {"train_examples": 50, "epochs": 1}))
    assert reporter.of(Facts)[0].facts["images"] == {"train": 50, "val": 28, "test": 40}


def test_a_batch_larger_than_the_data_makes_one_step_an_epoch(make_order: MakeOrder) -> None:
    reporter, _ = run(make_order(PLAIN | {"batch_size": 60_000, "epochs": 2}))
    assert reporter.of(Checkpoint)[-1].step == 2


OWN = PLAIN | {
    "epochs": 2,
    "network": {
        "layers": [
            {"type": "Conv2D", "name": "c", "filters": 4, "kernel_size": 3, "activation": "relu", "strides": 2},
            {"type": "Conv2D", "name": "d", "filters": 4, "kernel_size": 3, "padding": "same"},
            {"type": "BatchNormalization"},
            {"type": "Add", "inputs": ["batch_normalization", "c"]},
            {"type": "Flatten"},
            {"type": "Dropout", "rate": 0.2},
            {"type": "Dense", "units": 10, "activation": "softmax", "name": "answer"},
        ]
    },
}


def test_layers_of_ones_own_train_stop_resume_and_are_kept(make_order: MakeOrder) -> None:
    whole, summary = run(make_order(OWN))
    assert summary is not None
    stopped, nothing = run(make_order(OWN), stop_at=4)
    assert nothing is None
    order = make_order(OWN, checkpoint=last_checkpoint(stopped))
    resumed, again = run(order)
    assert again == summary
    assert_same_end(last_checkpoint(whole), last_checkpoint(resumed))
    record = json.loads((order.folder / "run.json").read_text())
    assert record["spec"]["network"] == OWN["network"]
    model = keras.models.load_model(order.folder / "model.keras")
    assert model.output_shape == (None, 10)
    assert model.count_params() == record["parameters"]


def test_a_checkpoint_of_other_layers_is_refused(make_order: MakeOrder) -> None:
    stopped, _ = run(make_order(OWN), stop_at=2)
    layers = [{**OWN["network"]["layers"][0], "activation": "tanh"}, *OWN["network"]["layers"][1:]]
    with pytest.raises(ResumeImpossible, match="network"):
        run(make_order(OWN | {"network": {"layers": layers}}, checkpoint=last_checkpoint(stopped)))


def test_a_training_tells_what_it_took_of_the_memory(make_order: MakeOrder) -> None:
    reporter, _ = run(make_order(PLAIN | {"epochs": 1}))
    told = [event.facts for event in reporter.events if isinstance(event, Facts)]
    peaks = [facts["peak_device_bytes"] for facts in told if "peak_device_bytes" in facts]
    assert len(peaks) == 2, "after each epoch, so that a job that dies later has told too, and at the end"
    assert peaks[0] > 0
    assert peaks == sorted(peaks)
