"""What fine-tuning takes of the memory: by hand, and against real jobs in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ml.estimates import Plan, Training
from ml.estimates.peak import LargestOf
from ml.inspections.earlier import RECORD
from ml.kinds import inspect
from ml.networks import LOGITS, Draft
from ml.networks.layers import Activation, BatchNormalization, Conv2D, Dense, Flatten
from records.library import CatalogueLibrary, DatasetCard, RunCard
from records.specs import parse_spec
from tests.ml.staged import write_staged

MB = 1_000_000


def two_convolutions():
    """Images of one megapixel and one channel: every map is 4 MB."""
    draft = Draft("by-hand", (1000, 1000, 1))
    draft.add("first", Conv2D(1, (1, 1), use_bias=False))
    draft.add("norm", BatchNormalization())
    draft.add("relu", Activation("relu"))
    draft.add("second", Conv2D(1, (1, 1), use_bias=False, strides=(10, 10)))
    draft.add("flatten", Flatten())
    draft.add(LOGITS, Dense(2, use_bias=False))
    return draft.finish()


def test_frozen_layers_keep_nothing_for_a_gradient():
    """The images at hand, 5 MB of bytes; then the image as numbers and one map of 4 MB each, and no third."""
    frozen = frozenset({"first", "norm", "relu", "second", "flatten"})
    exact = Training(two_convolutions(), Plan(1, "sgd", frozen=frozen)).exact(1, kind="cpu")
    assert exact == 5 * MB + 4 * MB + 4 * MB
    whole = Training(two_convolutions(), Plan(1, "sgd")).exact(1, kind="cpu")
    assert whole >= exact + 8 * MB


def test_frozen_weights_have_no_slots():
    draft = Draft("by-hand", (1, 1000, 1))
    draft.add("flatten", Flatten())
    draft.add("wide", Dense(1000, use_bias=False))
    draft.add(LOGITS, Dense(2, use_bias=False))
    network = draft.finish()
    frozen = Training(network, Plan(1, "adam", frozen=frozenset({"flatten", "wide"})))
    assert frozen.exact(1, kind="cpu") == 4 * MB
    assert frozen.weights.trained == (8000,)
    assert Training(network, Plan(1, "adam")).exact(1, kind="cpu") == 5 * 4 * MB


def test_of_two_stages_the_larger_counts():
    network = two_convolutions()
    small = Training(network, Plan(1, "sgd", frozen=frozenset({"first", "norm", "relu", "second", "flatten"})))
    large = Training(network, Plan(1, "sgd"))
    for stages in ((small, large), (large, small)):
        both = LargestOf(stages)
        assert both.exact(2, kind="cpu") == large.exact(2, kind="cpu")
        assert both.peak(2, kind="gpu") == large.peak(2, kind="gpu")


# ── the truth ────────────────────────────────────────────────────────────────────────────────────────────────

CODE = """
import json, sys
from pathlib import Path
from ml.engine.device import prepare_device
from ml.kinds import load_recipe
from ml.reporter import Reporter
from records.events import Facts
from records.orders import Order
from records.specs import parse_spec
order = Order.model_validate(json.loads(sys.argv[1]))
spec, facts = parse_spec(order.spec), {}
recipe = load_recipe(spec.kind)
prepare_device(order.device)
recipe(spec, order, Reporter(lambda event: facts.update(event.facts) if isinstance(event, Facts) else None))
print(json.dumps(facts["peak_device_bytes"]))
"""
TRAINED = {
    "kind": "train",
    "dataset": "shapes",
    "network": {"name": "mobilenet_v2", "options": {"alpha": 0.5}},
    "image_size": 96,
    "epochs": 1,
    "batch_size": 4,
}
CARD = DatasetCard(
    ref="ada/shapes@1",
    classes=("stripes", "disc", "square"),
    counts={"train": 64, "val": 9},
    channels=3,
    image_shape=None,
    sha256="a" * 64,
)


class Library(CatalogueLibrary):
    """One dataset and one job."""

    def dataset(self, ref):
        return CARD

    def run(self, job_id):
        return RunCard(1, "train", "succeeded", TRAINED, {RECORD: "", "best.weights.h5": ""})


def run_alone(spec, folder, inputs):
    """The peak that a job measured in a process of its own, in bytes."""
    folder.mkdir()
    device = {"name": "cpu:0", "kind": "cpu", "index": 0, "memory_bytes": 0, "threads": 2}
    order = {"job_id": 1, "attempt_number": 1, "spec": spec, "device": device, "inputs": inputs, "folder": str(folder)}
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-c", CODE, json.dumps(order)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return int(run.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    data = write_staged(folder / "shapes", {"train": 64, "val": 9})
    run_alone(TRAINED, folder / "out", {"dataset": str(data)})
    return data, folder / "out"


@pytest.mark.slow
@pytest.mark.parametrize("unfreeze_from", ["all", "s6_1"])
def test_the_estimate_holds_the_measured_peak(base, tmp_path, unfreeze_from):
    data, folder = base
    spec = {
        "kind": "finetune",
        "dataset": "shapes",
        "base": {"job": 1},
        "head_epochs": 1,
        "epochs": 1,
        "batch_size": 32,
        "unfreeze_from": unfreeze_from,
    }
    inputs = {"dataset": data, "weights": folder / "best.weights.h5", "run": folder / RECORD}
    measured = run_alone(spec, tmp_path / "out", {role: str(path) for role, path in inputs.items()})
    peak = inspect(parse_spec(spec), Library()).cost.estimate.peaks["cpu"]
    print(f"{unfreeze_from}: measured {measured:,}, estimated {peak.low:,} to {peak.high:,}, likely {peak.likely:,}")
    assert peak.low <= measured <= peak.high
