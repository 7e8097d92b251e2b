"""What `trainyard estimate --refined` starts: a spec is traced, for the dataset that it was told of."""

from __future__ import annotations

import keras
import pytest

from ml.engine.refine import ToldLibrary, refine
from ml.engine.tracing import trace_peak
from ml.estimates import Plan, Training
from ml.networks import make_network
from records.errors import InvalidSpec
from records.specs.train import Adam

ANTS = {
    "ref": "anna/ants@1",
    "classes": ["ants", "bees"],
    "counts": {"train": 200, "val": 44},
    "channels": 3,
    "image_shape": None,
    "sha256": "0" * 64,
}

DIGITS = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}


@pytest.fixture(autouse=True)
def _one_at_a_time():
    yield
    keras.backend.clear_session()


def test_a_training_on_somebodys_own_photographs_is_traced():
    spec = {"kind": "train", "dataset": "ants", "network": {"name": "lenet5"}, "image_size": 64, "batch_size": 50}
    found = refine(spec, ToldLibrary(ANTS), kind="cpu", threads=2)
    held = 200 * 64 * 64 * 3
    assert found["low_bytes"] <= found["likely_bytes"] <= found["high_bytes"]
    assert found["likely_bytes"] > held
    instant = Training(make_network("lenet5", (64, 64, 3), 2, {}), Plan(50), data_bytes=held).peak(50, kind="cpu")
    assert found["likely_bytes"] == pytest.approx(instant.likely, rel=0.2)


def test_frozen_layers_are_traced_as_the_instant_estimate_counts_them():
    network = make_network("squeezenet", (128, 128, 3), 10, {})
    frozen = frozenset(node.name for node in network.layers[: len(network.layers) // 2])
    whole = trace_peak(network, batch_size=8, optimizer=Adam())
    traced = trace_peak(network, batch_size=8, optimizer=Adam(), frozen=frozen)
    instant = Training(network, Plan(8, "adam", frozen=frozen)).peak(8, kind="cpu")
    assert traced.exact < 0.8 * whole.exact
    assert instant.exact == pytest.approx(traced.exact, rel=0.06)


@pytest.mark.slow
def test_of_a_finetuning_the_larger_stage_counts():
    spec = {"kind": "finetune", "dataset": "ants", "batch_size": 4, "image_size": 64}
    both = refine(spec, ToldLibrary(ANTS), kind="cpu", threads=2)
    keras.backend.clear_session()
    head = refine({**spec, "epochs": 0, "early_stopping": None}, ToldLibrary(ANTS), kind="cpu", threads=2)
    assert both["likely_bytes"] > head["likely_bytes"]


@pytest.mark.parametrize(
    ("spec", "path", "part"),
    [
        ({"kind": "train", "dataset": "ants", "network": {"name": "lenet5"}}, "dataset", "ants"),
        ({"kind": "finetune", "dataset": "mnist", "base": {"job": 7}}, "base.job", "Leave --refined out"),
        ({**DIGITS, "micro_batch": 8}, "micro_batch", "Only whole batches"),
        ({**DIGITS, "precision": "mixed"}, "precision", "Only whole batches"),
        ({**DIGITS, "recompute": True}, "recompute", "Only whole batches"),
        ({**DIGITS, "averaging": {"name": "ema"}}, "averaging", "Only whole batches"),
    ],
)
def test_what_cannot_be_traced_says_why(spec, path, part):
    with pytest.raises(InvalidSpec) as told:
        refine(spec, ToldLibrary(None), kind="cpu", threads=2)
    (problem,) = told.value.problems
    assert problem.path == path
    assert part in problem.text
