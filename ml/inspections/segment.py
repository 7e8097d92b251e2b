"""`kind: segment`: the dataset has masks, and the network, its backbone and the crops fit each other."""

from __future__ import annotations

from ml.inspections.bases import find_base
from ml.inspections.images import check_augmentation, check_class_weights
from ml.inspections.inspection import Inspection, find_in
from records.errors import FieldProblem, InvalidSpec
from records.inputs import DatasetInput
from records.library import DatasetCard, Library
from records.specs import SegmentSpec
from records.specs.images import sides_of


def inspect_segment(spec: SegmentSpec, library: Library) -> Inspection:
    """Check that dataset, network, backbone and crops exist and fit each other.

    Raises:
        InvalidSpec: they do not; every problem is listed by path.
    """
    from ml.estimates import cost_of_segmenting
    from ml.networks import NetworkError, draw_segmenter

    dataset = find_in(library, spec.dataset)
    _check_dataset(dataset)
    check_class_weights(spec.class_weights, dataset.classes)
    base, inputs = (None, {}) if spec.base is None else find_base(spec.base, library)
    channels = dataset.channels if base is None else base.input_shape[2]
    check_augmentation(spec.augmentation and spec.augmentation.colours, channels)
    try:
        network = draw_segmenter(spec.network, (*sides_of(spec.crop_size), channels), len(dataset.classes), base)
    except NetworkError as error:
        raise InvalidSpec(error.problems) from error
    return Inspection(
        parameters=network.parameters,
        inputs={"dataset": DatasetInput(dataset.ref), **inputs},
        pins={"dataset": dataset.ref},
        cost=cost_of_segmenting(spec, network, dataset),
    )


def _check_dataset(dataset: DatasetCard) -> None:
    if dataset.task != "segmentation":
        raise _problem(
            f"Expected a dataset with masks, but {dataset.ref!r} is one for {dataset.task}. Upload images and masks "
            "with --task segmentation."
        )
    if len(dataset.classes) < 2:
        raise _problem(
            f"Expected at least 2 classes to tell apart, but the masks of {dataset.ref!r} have {len(dataset.classes)}. "
            "Give the background a class of its own."
        )
    if not dataset.counts.get("train"):
        raise _problem(f"Expected images to train on, but {dataset.ref!r} has none in its train split.")


def _problem(text: str) -> InvalidSpec:
    return InvalidSpec([FieldProblem("dataset", text)])
