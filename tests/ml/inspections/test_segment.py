"""What is checked of a segment spec before it queues."""

from __future__ import annotations

from typing import Any

import pytest

from ml.inspections.earlier import RECORD
from ml.inspections.models import check_predicts
from ml.kinds import inspect
from records.errors import Conflict, InvalidSpec, NotFound
from records.inputs import ArtifactInput, DatasetInput, WeightsInput
from records.library import CatalogueLibrary, DatasetCard, RunCard
from records.specs import parse_spec

KEPT = {RECORD: "a" * 64, "best.weights.h5": "b" * 64, "last.weights.h5": "c" * 64}
TRAINED = {"kind": "train", "dataset": "photos", "network": {"name": "resnet18"}, "image_size": 64}


class Library(CatalogueLibrary):
    """The catalogue, uploaded pictures with masks, photographs, and a job that trained on these."""

    def __init__(self, **changes: Any) -> None:
        plain = {"counts": {"train": 150, "val": 50}, "classes": ("background", "nucleus"), "channels": 3}
        fields = {"ref": "ada/nuclei@2", "image_shape": None, "sha256": "a" * 64}
        self._own = {
            "nuclei": DatasetCard(**fields | {"task": "segmentation"} | plain | changes),
            "photos": DatasetCard(**fields | plain | {"ref": "ada/photos@1"}),
        }

    def dataset(self, ref: str) -> DatasetCard:
        return self._own[ref] if ref in self._own else super().dataset(ref)

    def run(self, job_id: int) -> RunCard:
        if job_id != 1:
            raise NotFound(f"There is no job {job_id} that you can see.")
        return RunCard(1, "train", "succeeded", TRAINED, KEPT)


def inspected(library: Library | None = None, **fields: Any):
    return inspect(parse_spec({"kind": "segment", "dataset": "nuclei"} | fields), library or Library())


def problem(library: Library | None = None, **fields: Any) -> tuple[str, str]:
    with pytest.raises(InvalidSpec) as caught:
        inspected(library, **fields)
    (found,) = caught.value.problems
    return found.path, found.text


def test_a_dataset_with_masks_is_staged_and_pinned():
    found = inspected()
    assert found.inputs == {"dataset": DatasetInput("ada/nuclei@2")}
    assert found.pins == {"dataset": "ada/nuclei@2"}
    assert found.parameters > 7_000_000


def test_the_cost_counts_crops():
    cost = inspected(crops_per_image=4, batch_size=10).cost
    assert cost is not None
    assert cost.images == 600
    assert cost.estimate.steps_per_epoch == 60
    assert cost.plan.augmented


def test_what_would_make_it_fit_is_told():
    from ml.estimates import Room

    cost = inspected().cost
    (answer,) = cost.advise([Room("small", "cpu", 2_000_000_000)], {})
    assert answer["fits"] is False
    assert {remedy["code"] for remedy in answer["remedies"]} >= {"smaller_batch", "accumulation"}
    for remedy in answer["remedies"]:
        if remedy["change"] is not None:
            parse_spec({"kind": "segment", "dataset": "nuclei", **remedy["change"]})


def test_a_backbone_that_has_learned_is_staged():
    found = inspected(base={"job": 1, "weights": "last"}, network={"name": "deeplab_v3plus"})
    assert found.inputs["run"] == ArtifactInput(1, RECORD)
    assert found.inputs["weights"] == ArtifactInput(1, "last.weights.h5")
    assert set(found.inputs) == {"dataset", "run", "weights"}
    named = inspected(base={"pretrained": "efficientnet_lite0"}).inputs
    assert isinstance(named["weights"], WeightsInput)


def test_grey_pictures_are_brought_to_the_colours_of_a_backbone():
    library = Library(channels=1)
    assert inspected(library, base={"job": 1}).cost.network.input_shape == (256, 256, 3)
    assert inspected(library).cost.network.input_shape == (256, 256, 1)


@pytest.mark.parametrize(
    ("changes", "fields", "path", "said"),
    [
        ({}, {"dataset": "photos"}, "dataset", "one for classification. Upload images and masks"),
        ({}, {"dataset": "mnist"}, "dataset", "one for classification"),
        ({"classes": ("nucleus",)}, {}, "dataset", "at least 2 classes"),
        ({"counts": {"val": 3}}, {}, "dataset", "none in its train split"),
        ({}, {"class_weights": [1, 2, 3]}, "class_weights", "Expected 2 weights"),
        ({"channels": 1}, {"augmentation": {"saturation": 0.5}}, "augmentation.saturation", "no colours"),
        ({}, {"crop_size": 100}, "crop_size", "Take a multiple of 16"),
        ({}, {"network": {"name": "fcn8s"}, "crop_size": 16}, "crop_size", "too small for the backbone"),
        ({}, {"network": {"name": "lenet5"}}, "network.name", "No network for segmentation is called 'lenet5'"),
        ({}, {"base": {"job": 2}}, "base.job", "no job 2"),
        ({}, {"base": {"pretrained": "unet"}}, "base.pretrained", "No pretrained weights"),
    ],
)
def test_what_does_not_fit_is_refused(changes, fields, path, said):
    where, text = problem(Library(**changes), **fields)
    assert where == path
    assert said in text


@pytest.mark.parametrize("kind", ["train", "finetune"])
def test_masks_are_nothing_for_a_classifier(kind):
    spec = {"kind": kind, "dataset": "nuclei", "image_size": 64}
    spec |= {"network": {"name": "plain_cnn"}} if kind == "train" else {}
    with pytest.raises(InvalidSpec, match="one for segmentation"):
        inspect(parse_spec(spec), Library())


SEGMENTED = RunCard(9, "segment", "succeeded", {"kind": "segment", "dataset": "nuclei"}, KEPT)


def test_a_segmentation_can_be_asked_about_pixels_but_is_no_classifier():
    check_predicts(SEGMENTED, "best", pixels=True)
    with pytest.raises(
        Conflict, match=r"tells the classes of pixels, not of images\. Jobs of kind train and finetune do"
    ):
        check_predicts(SEGMENTED, "best")
    with pytest.raises(Conflict, match=r"kept no run\.json"):
        check_predicts(RunCard(9, "segment", "failed", {}, {}), "best", pixels=True)
