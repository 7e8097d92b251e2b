"""`kind: train`: the dataset and the network exist and fit each other."""

from __future__ import annotations

from ml.inspections.inspection import Inspection, find_in
from records.errors import FieldProblem, InvalidSpec
from records.inputs import DatasetInput
from records.library import Library
from records.specs import TrainSpec


def inspect_train(spec: TrainSpec, library: Library) -> Inspection:
    """Check that the dataset and the network exist and fit each other.

    Raises:
        InvalidSpec: they do not; every problem is listed by path.
    """
    from ml.estimates import cost_of_training
    from ml.networks import NetworkError, draw_network

    dataset = find_in(library, spec.dataset)
    classes = len(dataset.classes)
    if dataset.image_shape is None:
        text = f"The images of {dataset.ref} differ in size, and this kind of job cannot bring them to one."
        raise InvalidSpec([FieldProblem("dataset", text)])
    if isinstance(spec.class_weights, tuple) and len(spec.class_weights) != classes:
        raise InvalidSpec(
            [FieldProblem("class_weights", f"Expected {classes} weights, one a class, got {len(spec.class_weights)}.")]
        )
    try:
        network = draw_network(spec.network, dataset.image_shape, classes)
    except NetworkError as error:
        raise InvalidSpec(error.problems) from error
    cost = cost_of_training(spec, network, images=dataset.counts["train"])
    return Inspection(
        parameters=network.parameters,
        inputs={"dataset": DatasetInput(dataset.ref)},
        pins={"dataset": dataset.ref},
        cost=cost,
    )
