"""Which runs may vote together, and on what."""

from __future__ import annotations

import pytest

from ml.kinds import inspect
from records.errors import InvalidSpec, NotFound
from records.inputs import ArtifactInput, DatasetInput
from records.library import CatalogueLibrary, DatasetCard, RunCard
from records.specs import EvaluateSpec

KEPT = {"run.json": "a" * 64, "best.weights.h5": "b" * 64, "last.weights.h5": "c" * 64}
TRAINED = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}
BEES = {"kind": "train", "dataset": "bees", "network": {"name": "lenet5"}, "image_size": 32}


class Library(CatalogueLibrary):
    """The catalogue, two sets of one's own, and jobs by number: what each was asked."""

    def __init__(self, *specs):
        self._specs = {number: spec for number, spec in enumerate(specs, start=1)}

    def run(self, job_id):
        if job_id not in self._specs:
            raise NotFound(f"There is no job {job_id} that you can see.")
        return RunCard(job_id, self._specs[job_id]["kind"], "succeeded", self._specs[job_id], KEPT)

    def dataset(self, ref):
        if ref == "bees":
            return DatasetCard("ada/bees@1", ("ants", "bees"), {"train": 9, "val": 4}, 3, None, "c" * 64)
        if ref == "cells":
            return DatasetCard("ada/cells@1", (), {"train": 9}, 1, None, "c" * 64, task="segmentation")
        return super().dataset(ref)


def spec(*jobs, **fields):
    return EvaluateSpec(runs=tuple({"job": job} for job in jobs), **fields)


def problems(library, *jobs, **fields):
    with pytest.raises(InvalidSpec) as caught:
        inspect(spec(*jobs, **fields), library)
    return {problem.path: problem.text for problem in caught.value.problems}


def test_each_record_and_all_weights_are_staged_once():
    runs = ({"job": 1}, {"job": 2, "weights": "last"}, {"job": 1, "weights": "last"})
    found = inspect(EvaluateSpec(runs=runs), Library(TRAINED, TRAINED))
    assert found.inputs == {
        "dataset": DatasetInput("mnist"),
        "run_1": ArtifactInput(1, "run.json"),
        "run_2": ArtifactInput(2, "run.json"),
        "weights_1_best": ArtifactInput(1, "best.weights.h5"),
        "weights_2_last": ArtifactInput(2, "last.weights.h5"),
        "weights_1_last": ArtifactInput(1, "last.weights.h5"),
    }
    assert found.pins == {"dataset": "mnist"}


def test_runs_of_other_classes_cannot_vote_together():
    found = problems(Library(TRAINED, BEES, TRAINED, TRAINED | {"dataset": "fashion_mnist"}), 1, 2, 3, 4)
    assert set(found) == {"runs.1.job", "runs.3.job"}
    assert "Expected the classes of job 1 (10: 0, 1, 2, …), but job 2 learned 2: ants, bees." in found["runs.1.job"]


def test_a_dataset_with_other_classes_is_no_test_of_them():
    assert "'fashion_mnist' has 10: T-shirt/top" in problems(Library(TRAINED), 1, dataset="fashion_mnist")["dataset"]
    assert "images for segmentation" in problems(Library(TRAINED), 1, dataset="cells")["dataset"]
    assert "Did you mean mnist" in problems(Library(TRAINED), 1, dataset="mnits")["dataset"]


def test_a_job_that_is_not_there_or_trained_nothing_is_refused_by_its_place():
    assert "There is no job 7" in problems(Library(TRAINED), 1, 7)["runs.1.job"]
    noop = {"kind": "noop"}
    assert "kind noop predicts nothing" in problems(Library(TRAINED, noop), 1, 2)["runs.1.job"]


def test_a_validation_part_must_be_the_same_for_all_runs():
    one, two = (TRAINED | {"seed": seed, "split_seed": 0} for seed in (1, 2))
    assert inspect(spec(1, 2, split="val"), Library(one, two))
    assert inspect(spec(1, 2, split="val"), Library(TRAINED | {"seed": 1}, two | {"split_seed": 1}))
    for other in ({"split_seed": None}, {"validation_fraction": 0.2}):
        found = problems(Library(one, two | other), 1, 2, split="val")
        assert "job 2 set other images aside" in found["split"]
        assert "same validation_fraction and split_seed" in found["split"]


def test_a_split_of_the_datasets_own_is_the_same_for_all():
    assert inspect(spec(1, 2, split="val"), Library(BEES | {"seed": 1}, BEES | {"seed": 2}))
    assert problems(Library(BEES), 1, split="test") == {
        "split": "ada/bees@1 has no split 'test' of its own. It has train, val."
    }


def test_there_is_a_weight_for_each_run():
    assert problems(Library(TRAINED), 1, vote_weights=(1.0, 2.0)) == {
        "vote_weights": "Expected 1 weights, one a run, got 2."
    }


def test_grey_images_have_no_colours_to_change_in_a_view():
    views = {"augmentation": {"hue_degrees": 5.0}}
    assert set(problems(Library(TRAINED), 1, test_time_augmentation=views)) == {
        "test_time_augmentation.augmentation.hue_degrees"
    }
