"""What a batch prediction may refer to."""

from __future__ import annotations

import pytest

from ml.kinds import inspect
from records.errors import InvalidSpec, NotFound
from records.inputs import ArtifactInput, DatasetInput
from records.library import CatalogueLibrary, DatasetCard, RunCard
from records.specs import PredictSpec

KEPT = {"run.json": "a" * 64, "best.weights.h5": "b" * 64}


class Library(CatalogueLibrary):
    """The catalogue, one job, and a dataset for another task."""

    def __init__(self, run):
        self._run = run

    def run(self, job_id):
        if job_id != self._run.job_id:
            raise NotFound(f"There is no job {job_id} that you can see.")
        return self._run

    def dataset(self, ref):
        if ref != "nuclei":
            return super().dataset(ref)
        card = super().dataset("mnist")
        return DatasetCard(ref, card.classes, card.counts, 1, None, "c" * 64, task="segmentation")


def _card(kind="train", status="succeeded", artifacts=KEPT):
    return RunCard(job_id=3, kind=kind, status=status, spec={}, artifacts=artifacts)


def _problems(card=None, **fields):
    with pytest.raises(InvalidSpec) as caught:
        inspect(PredictSpec(**{"run": {"job": 3}, "dataset": "mnist", **fields}), Library(card or _card()))
    return {problem.path: problem.text for problem in caught.value.problems}


def test_a_model_and_images_are_staged():
    found = inspect(PredictSpec(run={"job": 3}, dataset="fashion_mnist", split="all"), Library(_card()))
    assert found.inputs == {
        "dataset": DatasetInput("fashion_mnist"),
        "run": ArtifactInput(3, "run.json"),
        "weights": ArtifactInput(3, "best.weights.h5"),
    }
    assert found.pins == {"dataset": "fashion_mnist"}


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (_card(kind="noop"), "kind noop predicts nothing"),
        (_card(kind="predict"), "kind predict predicts nothing"),
        (_card(kind="of tomorrow"), "Jobs of kind train"),
        (_card(status="running", artifacts={}), "is running and has no model yet"),
        (_card(status="cancelled", artifacts={"run.json": ""}), "was cancelled without a model"),
    ],
)
def test_a_job_without_a_model_is_refused(run, text):
    assert text in _problems(run)["run.job"]


def test_a_job_that_cannot_be_seen_is_refused():
    with pytest.raises(InvalidSpec, match=r"run\.job: There is no job 4 that you can see"):
        inspect(PredictSpec(run={"job": 4}, dataset="mnist"), Library(_card()))


def test_weights_that_were_not_kept_are_refused():
    assert "it kept no last.weights.h5" in _problems(run={"job": 3, "weights": "last"})["run.job"]


def test_a_split_that_the_dataset_does_not_have_is_refused():
    assert _problems(split="val") == {"split": "mnist has no split 'val' of its own. It has train, test."}


def test_a_dataset_that_is_not_there_or_has_no_classes_of_images_is_refused():
    assert "Did you mean mnist" in _problems(dataset="mnits")["dataset"]
    assert "got a dataset for segmentation" in _problems(dataset="nuclei")["dataset"]
