"""What is checked of a train spec before it queues."""

from __future__ import annotations

from typing import Any

import pytest

from ml.kinds import inspect
from records.errors import InvalidSpec
from records.inputs import DatasetInput
from records.library import CatalogueLibrary, DatasetCard
from records.specs import parse_spec

PHOTOS = DatasetCard(
    ref="ada/ants-bees@2",
    classes=("ants", "bees"),
    counts={"train": 244, "val": 153},
    channels=3,
    image_shape=None,
    sha256="a" * 64,
)


class Library(CatalogueLibrary):
    """The catalogue, and one uploaded dataset."""

    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    def dataset(self, ref: str) -> DatasetCard:
        if ref != "ants-bees":
            return super().dataset(ref)
        return DatasetCard(**{**PHOTOS.__dict__, **self._changes})


def spec(**fields: Any):
    base = {"kind": "train", "dataset": "ants-bees", "network": {"name": "resnet18"}, "image_size": 96}
    return parse_spec({name: value for name, value in (base | fields).items() if value is not None})


def problem(library: Library | None = None, **fields: Any) -> tuple[str, str]:
    with pytest.raises(InvalidSpec) as caught:
        inspect(spec(**fields), library or Library())
    (found,) = caught.value.problems
    return found.path, found.text


def test_photographs_of_many_sizes_are_trained_on_at_the_size_that_is_asked():
    found = inspect(spec(image_size=[96, 128]), Library())
    assert found.inputs == {"dataset": DatasetInput("ada/ants-bees@2")}
    assert found.pins == {"dataset": "ada/ants-bees@2"}
    assert found.cost.network.input_shape == (96, 128, 3)
    assert found.cost.images == 244  # validation has a split of its own
    assert found.cost.data_bytes == 244 * 96 * 128 * 3


SWA = {"name": "swa", "start_fraction": 0.5}


@pytest.mark.parametrize(("averaging", "is_on"), [(None, False), ({"name": "ema"}, True), (SWA, True)])
def test_an_average_of_the_weights_is_in_the_cost(averaging, is_on):
    assert inspect(spec(averaging=averaging), Library()).cost.plan.averaged is is_on


def test_without_a_split_for_validation_a_part_is_set_aside():
    found = inspect(spec(validation_fraction=0.25), Library(counts={"train": 400}))
    assert found.cost.images == 300


def test_a_crop_keeps_larger_pictures_in_memory():
    found = inspect(spec(augmentation={"crop": {}}), Library())
    assert found.cost.data_bytes == 244 * 110 * 110 * 3
    assert found.cost.plan.augmented


def test_more_than_memory_should_hold_stays_on_the_disk():
    assert inspect(spec(image_size=224), Library(counts={"train": 100_000})).cost.data_bytes == 0


def test_an_augmentation_that_is_off_is_none():
    assert not inspect(spec(augmentation={}), Library()).cost.plan.augmented


@pytest.mark.parametrize(
    ("fields", "path", "part"),
    [
        ({"image_size": None}, "image_size", "say what they are brought to, such as 128"),
        ({"dataset": "mnist", "image_size": 32}, "image_size", "are 28 x 28 px and are not resized, got 32 x 32 px"),
        ({"image_size": 32, "network": {"name": "alexnet"}}, "network.name", "needs images of at least"),
        ({"class_weights": [1.0, 2.0, 3.0]}, "class_weights", "Expected 2 weights"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(fields, path, part):
    where, text = problem(**fields)
    assert where == path
    assert part in text


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"task": "segmentation"}, "is one for segmentation"),
        ({"classes": ("ants",)}, "has 1. Add images of another class"),
        ({"counts": {"val": 3}}, "has none in its train split"),
    ],
)
def test_a_dataset_that_has_nothing_to_learn_is_refused(changes, part):
    where, text = problem(Library(**changes))
    assert where == "dataset"
    assert part in text


@pytest.mark.parametrize("name", ["saturation", "hue_degrees"])
def test_grey_images_have_no_colours_to_change(name):
    where, text = problem(Library(channels=1), augmentation={name: 0.5})
    assert where == f"augmentation.{name}"
    assert "grey" in text


def test_a_dataset_of_one_size_may_be_told_its_own():
    assert inspect(spec(dataset="mnist", network={"name": "lenet5"}, image_size=28)).cost.network.input_shape == (
        28,
        28,
        1,
    )
