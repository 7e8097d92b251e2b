"""`kind: finetune`: the dataset and the base exist and fit each other, and there is something to unfreeze."""

from __future__ import annotations

from ml.inspections.bases import find_base
from ml.inspections.images import check_augmentation, check_class_weights, check_classification, find_sides
from ml.inspections.inspection import Inspection, find_in
from ml.inspections.pretrained import fresh_layers
from ml.networks import Network
from records.errors import FieldProblem, InvalidSpec
from records.inputs import DatasetInput
from records.library import DatasetCard, Library
from records.specs import FinetuneSpec


def inspect_finetune(spec: FinetuneSpec, library: Library) -> Inspection:
    """Check that dataset and base exist and fit each other, and that the layer to unfreeze from is one.

    Raises:
        InvalidSpec: something does not; every problem is listed by path.
    """
    from ml.estimates import cost_of_finetuning
    from ml.networks import NetworkError
    from ml.networks.transfer import frozen_layers, with_new_head

    dataset = find_in(library, spec.dataset)
    check_classification(dataset)
    check_class_weights(spec.class_weights, dataset.classes)
    check_augmentation(spec.augmentation, dataset.channels)
    base, inputs = find_base(spec.base, library)
    _check_channels(dataset, base)
    sides = find_sides(spec.image_size, dataset, default=base.input_shape[:2])
    try:
        network = with_new_head(base, (*sides, base.input_shape[2]), len(dataset.classes))
        fresh = fresh_layers(network, spec.base.pretrained)
        frozen = frozen_layers(network, spec.unfreeze_from, fresh)
    except NetworkError as error:
        raise InvalidSpec(error.problems) from error
    return Inspection(
        parameters=network.parameters,
        inputs={"dataset": DatasetInput(dataset.ref), **inputs},
        pins={"dataset": dataset.ref},
        cost=cost_of_finetuning(spec, network, dataset, frozen=frozen, fresh=fresh),
    )


def _check_channels(dataset: DatasetCard, base: Network) -> None:
    """Photographs are brought to the base's channels; the images of a dataset of one size are not."""
    channels = base.input_shape[2]
    if dataset.image_shape is not None and dataset.channels != channels:
        raise InvalidSpec(
            [
                FieldProblem(
                    "base",
                    f"Expected a base for images of {dataset.channels} channels, as those of {dataset.ref!r}, got one "
                    f"for {channels}. Choose an earlier job on such images.",
                )
            ]
        )
