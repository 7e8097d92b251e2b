"""`kind: predict`: the earlier job has a model, and the dataset has the images."""

from __future__ import annotations

from ml.inspections.inspection import Inspection, find_in
from ml.inspections.models import check_predicts
from records.errors import Conflict, FieldProblem, InvalidSpec, NotFound
from records.inputs import ArtifactInput, DatasetInput
from records.library import DatasetCard, Library
from records.specs import PredictSpec
from records.specs.earlier import RECORD


def inspect_predict(spec: PredictSpec, library: Library) -> Inspection:
    """Check that the model and the images are there.

    Raises:
        InvalidSpec: they are not; the problem stands at `run.job`, `dataset` or `split`.
    """
    try:
        check_predicts(library.run(spec.run.job), spec.run.weights)
    except (NotFound, Conflict) as error:
        raise InvalidSpec([FieldProblem("run.job", error.text)]) from error
    dataset = find_in(library, spec.dataset)
    _check_images(spec, dataset)
    inputs = {
        "dataset": DatasetInput(dataset.ref),
        "record": ArtifactInput(spec.run.job, RECORD),
        "weights": ArtifactInput(spec.run.job, spec.run.artifact),
    }
    return Inspection(inputs=inputs, pins={"dataset": dataset.ref})


def _check_images(spec: PredictSpec, dataset: DatasetCard) -> None:
    if dataset.task != "classification":
        text = f"Expected images with classes, got a dataset for {dataset.task}."
        raise InvalidSpec([FieldProblem("dataset", text)])
    if spec.split != "all" and not dataset.counts.get(spec.split):
        known = ", ".join(split for split, count in dataset.counts.items() if count)
        text = f"{dataset.ref} has no split {spec.split!r} of its own. It has {known}."
        raise InvalidSpec([FieldProblem("split", text)])
