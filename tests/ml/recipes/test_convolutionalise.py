"""The recipe that makes a trained classifier convolutional."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ml.inspections.earlier import RECORD
from ml.kinds import inspect
from ml.recipes.convolutionalise import convert
from ml.recipes.train import train
from ml.reporter import Interruption
from records.errors import InvalidSpec, ModelUnreadable, NotEqual
from records.events import Artifact
from records.library import CatalogueLibrary, RunCard
from records.orders import Order, OrderedDevice
from records.specs import parse_spec
from tests.ml.recipes.stopping import StoppingReporter

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21

TRAINED = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}, "epochs": 2, "batch_size": 16}
SPEC = {"kind": "convolutionalise", "run": {"job": 1}, "images": 8, "canvases": 2, "places": 9}
KEPT = {RECORD: "a" * 64, "best.weights.h5": "b" * 64, "last.weights.h5": "c" * 64}


class Shelf(CatalogueLibrary):
    """The catalogue and one earlier job."""

    def __init__(self, **changes):
        self._card = RunCard(
            **{"job_id": 1, "kind": "train", "status": "succeeded", "spec": TRAINED, "artifacts": KEPT} | changes
        )

    def run(self, job_id):
        return self._card if job_id == 1 else super().run(job_id)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_mnist):
    """The folder of a finished training."""
    folder = tmp_path_factory.mktemp("trained")
    device = OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1)
    order = Order(
        job_id=1, attempt_number=1, spec=TRAINED, device=device, inputs={"dataset": tiny_mnist}, folder=folder
    )
    train(parse_spec(TRAINED), order, StoppingReporter())
    return folder


@pytest.fixture
def order(make_order, trained):
    """An order to convert it."""

    def make(**changes):
        plain = make_order(SPEC | changes)
        inputs = plain.inputs | {"weights": trained / "best.weights.h5", "run": trained / RECORD}
        return plain.model_copy(update={"inputs": inputs})

    return make


def run(order, reporter=None):
    reporter = reporter or StoppingReporter()
    return reporter, convert(parse_spec(order.spec), order, reporter)


def test_it_says_the_same_finds_what_is_scattered_and_keeps_all_of_it(order):
    made = order()
    reporter, summary = run(made)
    assert summary["native/largest_difference"] < 1e-5
    assert summary["sliding/same_class"] > 0.8
    assert summary["multiply_adds_saved"] > 2
    kept = {event.name for event in reporter.of(Artifact)}
    assert kept == {"model.keras", "best.weights.h5", "network.json", "proof.json", "heat-maps.png", RECORD}
    proof = json.loads((made.folder / "proof.json").read_text())
    assert proof["kernels"]["c5"] == [5, 5, 16, 120]
    assert (proof["padded_layers"], proof["stride_px"], proof["canvas_px"]) == (["c1"], [4, 4], [112, 112])
    assert proof["native"]["windows"] == 8


def test_the_kept_model_takes_images_of_any_size(order):
    import keras

    made = order()
    run(made)
    model = keras.saving.load_model(made.folder / "model.keras")
    assert model(np.zeros((1, 28, 28, 1), np.uint8)).shape == (1, 1, 1, 10)
    assert model(np.zeros((1, 40, 60, 1), np.uint8)).shape == (1, 4, 9, 10)


def test_weights_of_another_network_are_refused(order, tmp_path):
    made = order()
    record = json.loads(Path(made.inputs["run"]).read_text())
    record["spec"]["network"] = {"name": "dense"}
    (tmp_path / RECORD).write_text(json.dumps(record))
    with pytest.raises(ModelUnreadable, match="does not hold the weights of dense"):
        run(made.model_copy(update={"inputs": made.inputs | {"run": tmp_path / RECORD}}))


def test_a_network_that_says_something_else_fails_the_job(order, monkeypatch):
    from ml.recipes import convolutionalise as recipe

    def twisted(converted, classifier):
        model = recipe_build(converted, classifier)
        weights = model.get_layer("c5").get_weights()
        model.get_layer("c5").set_weights([weights[0].transpose(1, 0, 2, 3), weights[1]])
        return model

    recipe_build = recipe.build_convolutional
    monkeypatch.setattr(recipe, "build_convolutional", twisted)
    with pytest.raises(NotEqual, match="say the same"):
        run(order())


def test_it_stops_when_asked(order):
    with pytest.raises(Interruption):
        run(order(), StoppingReporter(stop_at=0))


def test_its_inspection_names_what_to_stage_and_counts_parameters():
    inspection = inspect(parse_spec(SPEC), Shelf())
    assert inspection.parameters == 61_706
    assert sorted(inspection.inputs) == ["dataset", "run", "weights"]


@pytest.mark.parametrize(
    ("changes", "shelf", "path", "text"),
    [
        ({"run": {"job": 9}}, {}, "run.job", "There is no job 9"),
        ({}, {"kind": "noop"}, "run.job", "of kind noop predicts nothing"),
        ({}, {"status": "running", "artifacts": {}}, "run.job", "is running and has no model yet"),
        ({"canvas": [20, 40]}, {}, "canvas", "at least 28 x 28 px"),
        ({}, {"spec": TRAINED | {"network": {"name": "se_resnet18"}}}, "run.job", "cannot be made convolutional"),
    ],
)
def test_what_cannot_be_converted_is_told_before_it_queues(changes, shelf, path, text):
    with pytest.raises(InvalidSpec) as refused:
        inspect(parse_spec(SPEC | changes), Shelf(**shelf))
    (problem,) = refused.value.problems
    assert problem.path == path
    assert text in problem.text
