"""`kind: predict`: the earlier job has a model, and the dataset has the images."""

from __future__ import annotations

from ml.inspections.earlier import find_run, stage_model
from ml.inspections.inspection import Inspection, find_in
from records.errors import FieldProblem, InvalidSpec
from records.inputs import DatasetInput
from records.library import DatasetCard, Library
from records.specs import PredictSpec


def inspect_predict(spec: PredictSpec, library: Library) -> Inspection:
    """Check that the model and the images are there.

    Raises:
        InvalidSpec: they are not; the problem stands at `run.job`, `dataset` or `split`.
    """
    run = find_run(library, spec.run.job, path="run.job")
    staged = stage_model(run, spec.run.weights, path="run.job")
    dataset = find_in(library, spec.dataset)
    _check_images(spec, dataset)
    return Inspection(inputs={"dataset": DatasetInput(dataset.ref), **staged}, pins={"dataset": dataset.ref})


def _check_images(spec: PredictSpec, dataset: DatasetCard) -> None:
    if dataset.task != "classification":
        text = f"Expected images with classes, got a dataset for {dataset.task}."
        raise InvalidSpec([FieldProblem("dataset", text)])
    if spec.split != "all" and not dataset.counts.get(spec.split):
        known = ", ".join(split for split, count in dataset.counts.items() if count)
        text = f"{dataset.ref} has no split {spec.split!r} of its own. It has {known}."
        raise InvalidSpec([FieldProblem("split", text)])
