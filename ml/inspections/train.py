"""`kind: train`: the dataset and the network exist and fit each other."""

from __future__ import annotations

from ml.inspections.images import check_augmentation, check_class_weights, check_classification, find_sides
from ml.inspections.inspection import Inspection, find_in
from records.errors import InvalidSpec
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
    check_classification(dataset)
    check_class_weights(spec.class_weights, dataset.classes)
    check_augmentation(spec.augmentation, dataset.channels)
    image_shape = (*find_sides(spec.image_size, dataset, default=None), dataset.channels)
    try:
        network = draw_network(spec.network, image_shape, len(dataset.classes))
    except NetworkError as error:
        raise InvalidSpec(error.problems) from error
    return Inspection(
        parameters=network.parameters,
        inputs={"dataset": DatasetInput(dataset.ref)},
        pins={"dataset": dataset.ref},
        cost=cost_of_training(spec, network, dataset),
    )
