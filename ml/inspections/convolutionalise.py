"""`kind: convolutionalise`: there is a classifier, it can be converted, and the canvas is large enough."""

from __future__ import annotations

from ml.inspections.inspection import Inspection
from records.errors import FieldProblem, InvalidSpec
from records.library import Library
from records.specs import ConvolutionaliseSpec, TrainSpec


def inspect_convolutionalise(spec: ConvolutionaliseSpec, library: Library) -> Inspection:
    """Convert the classifier, as data, for the canvas.

    Raises:
        InvalidSpec: there is no such classifier, it has nothing to convert or cannot be, or the canvas is too small.
    """
    from ml.inspections.earlier import find_classifier
    from ml.networks import InputTooSmall, NetworkError
    from ml.networks.convolutional import canvas_shape, convolutionalise

    classifier = find_classifier(library, spec.run, path="run.job")
    if not isinstance(classifier.spec, TrainSpec) or classifier.dataset.image_shape is None:
        text = (
            "Expected a job of kind 'train' on a dataset whose images have one size: the proof needs its test images."
        )
        raise InvalidSpec([FieldProblem("run.job", text)])
    shape = canvas_shape(classifier.network, spec.canvas)
    try:
        converted = convolutionalise(classifier.network, shape, global_pooling=spec.global_pooling)
    except InputTooSmall as error:
        height, width, _ = classifier.network.input_shape
        text = f"Expected a canvas of at least {height} x {width} px, the classifier's own size, got {spec.canvas}."
        raise InvalidSpec([FieldProblem("canvas", text)]) from error
    except NetworkError as error:
        raise InvalidSpec([FieldProblem("run.job", error.text)]) from error
    return Inspection(parameters=converted.network.parameters, inputs=classifier.inputs)
