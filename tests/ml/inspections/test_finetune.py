"""What is checked of a finetune spec before it queues."""

from __future__ import annotations

from typing import Any

import pytest

from ml.inspections.earlier import RECORD
from ml.kinds import inspect
from records.errors import InvalidSpec, NotFound
from records.inputs import ArtifactInput, DatasetInput
from records.library import CatalogueLibrary, DatasetCard, RunCard
from records.specs import parse_spec

KEPT = {RECORD: "a" * 64, "best.weights.h5": "b" * 64, "last.weights.h5": "c" * 64}
MOBILE = {"kind": "train", "dataset": "colour", "network": {"name": "mobilenet_v2"}, "image_size": 96}
LENET = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}
AGAIN = {"kind": "finetune", "dataset": "colour", "base": {"job": 1}}
RUNS = {
    1: RunCard(1, "train", "succeeded", MOBILE, KEPT),
    2: RunCard(2, "train", "succeeded", LENET, KEPT),
    3: RunCard(3, "finetune", "succeeded", AGAIN, KEPT),
    4: RunCard(4, "train", "failed", MOBILE, {}),
    5: RunCard(5, "noop", "succeeded", {"kind": "noop"}, {}),
}


class Library(CatalogueLibrary):
    """The catalogue, uploaded photographs of ants and bees, and some jobs."""

    def __init__(self, **changes: Any) -> None:
        plain = {"counts": {"train": 244, "val": 153}, "classes": ("ants", "bees"), "channels": 3}
        self._card = DatasetCard(ref="ada/ants-bees@2", image_shape=None, sha256="a" * 64, **plain | changes)
        self._colour = DatasetCard(ref="ada/colour@1", image_shape=None, sha256="b" * 64, **plain)

    def dataset(self, ref: str) -> DatasetCard:
        own = {"ants-bees": self._card, "colour": self._colour}
        return own[ref] if ref in own else super().dataset(ref)

    def run(self, job_id: int) -> RunCard:
        if job_id not in RUNS:
            raise NotFound(f"There is no job {job_id} that you can see.")
        return RUNS[job_id]


def inspected(library: Library | None = None, **fields: Any):
    spec = parse_spec({"kind": "finetune", "dataset": "ants-bees", "base": {"job": 1}} | fields)
    return inspect(spec, library or Library())


def problem(library: Library | None = None, **fields: Any) -> tuple[str, str]:
    with pytest.raises(InvalidSpec) as caught:
        inspected(library, **fields)
    (found,) = caught.value.problems
    return found.path, found.text


def test_an_earlier_jobs_network_gets_a_new_head_and_its_files_are_staged():
    found = inspected(base={"job": 1, "weights": "last"})
    assert found.inputs == {
        "dataset": DatasetInput("ada/ants-bees@2"),
        "weights": ArtifactInput(1, "last.weights.h5"),
        "run": ArtifactInput(1, RECORD),
    }
    assert found.cost.network.input_shape == (96, 96, 3)
    assert found.cost.network.classes == 2


def test_a_size_of_ones_own_is_taken_by_a_convolutional_base():
    assert inspected(image_size=128).cost.network.input_shape == (128, 128, 3)


def test_a_finetuned_job_may_be_the_base():
    assert inspected(base={"job": 3}).cost.network.classes == 2


def test_grey_photographs_are_brought_to_the_bases_channels():
    assert inspected(Library(channels=1)).cost.network.input_shape == (96, 96, 3)


def test_images_of_the_catalogue_go_with_a_base_that_learned_such():
    found = inspected(dataset="fashion_mnist", base={"job": 2}, augmentation=None)
    assert found.cost.network.input_shape == (28, 28, 1)


@pytest.mark.parametrize(
    ("fields", "path", "part"),
    [
        ({"base": {"job": 9}}, "base.job", "There is no job 9"),
        ({"base": {"job": 4}}, "base.job", "Job 4 has failed without a model"),
        ({"base": {"job": 5}}, "base.job", "of kind noop predicts nothing"),
        ({"base": {"job": 2}, "image_size": 36}, "image_size", "was made for images of 28 x 28 px"),
        ({"dataset": "mnist"}, "base", "Expected a base for images of 1 channels"),
        ({"dataset": "mnist", "base": {"job": 2}, "image_size": 32}, "image_size", "28 x 28 px and are not resized"),
        ({"unfreeze_from": "s9"}, "unfreeze_from", "The blocks are c1, s1_1"),
        ({"class_weights": [1.0]}, "class_weights", "Expected 2 weights"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_at_its_field(fields, path, part):
    where, text = problem(**fields)
    assert where == path
    assert part in text


@pytest.mark.parametrize(
    ("changes", "part"),
    [({"classes": ("ants",)}, "at least 2 classes"), ({"task": "segmentation"}, "is one for segmentation")],
)
def test_a_dataset_that_has_no_classes_to_tell_apart_is_refused(changes, part):
    where, text = problem(Library(**changes))
    assert where == "dataset"
    assert part in text


def test_frozen_layers_cost_no_gradients_no_slots_and_less_arithmetic():
    head, upper, whole = (inspected(unfreeze_from=layer).cost.estimate for layer in ("none", "s6_1", "all"))
    assert head.trainable_parameters == 1280 * 2 + 2
    assert head.trainable_parameters < upper.trainable_parameters < whole.trainable_parameters
    for one, more in ((head, upper), (upper, whole)):
        assert one.gradients_bytes < more.gradients_bytes
        assert one.optimizer_bytes < more.optimizer_bytes
        assert one.multiply_adds_step < more.multiply_adds_step
        assert one.peaks["cpu"].likely < more.peaks["cpu"].likely
    assert whole.weights_bytes == head.weights_bytes
