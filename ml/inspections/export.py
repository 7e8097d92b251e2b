"""`kind: export`: a job or a registered model has a classifier, and it can be written in each format."""

from __future__ import annotations

from ml.inspections.earlier import find_run, read_classifier
from ml.inspections.inspection import Inspection
from ml.networks import Network
from records.errors import FieldProblem, InvalidRequest, InvalidSpec, NotFound
from records.library import Library, RunCard
from records.specs import ExportSpec

ONNX_LAYERS = frozenset(
    {
        "Activation", "Add", "AveragePooling2D", "BatchNormalization", "ChannelOrder", "ChannelPadding", "Concatenate",
        "Conv2D", "Conv2DTranspose", "Dense", "DepthwiseConv2D", "Dropout", "Flatten", "GlobalAveragePooling2D",
        "GlobalMaxPooling2D", "LayerNormalization", "LayerScale", "LocalResponseNormalization", "MaxPooling2D",
        "Multiply", "PartialConv2D", "Rescaling", "Reshape", "SeparableConv2D", "StochasticDepth",
        "TrainableSubsampling2D", "UpSampling2D", "ZeroPadding2D",
    }
)  # fmt: skip
"""Layers that `ml.exports.onnx_layers` has a rule for; this module may not load that one."""
ONNX_ACTIVATIONS = frozenset(
    {
        "relu", "relu6", "tanh", "scaled_tanh", "sigmoid", "hard_sigmoid", "elu", "gelu", "silu", "hard_silu",
        "softmax", "linear",
    }
)  # fmt: skip
"""Activations, likewise."""


def inspect_export(spec: ExportSpec, library: Library) -> Inspection:
    """Check that the run's model can be built again, and written in each format.

    Keras, TensorFlow and TFLite take whatever Keras can build; ONNX takes the layers that we have a rule for.

    Raises:
        InvalidSpec: it cannot; every problem is listed by path.
    """
    run, ref = _find(library, spec.run)
    classifier = read_classifier(library, run, spec.weights, path="run")
    network = classifier.network.main
    if "onnx" in spec.formats:
        _check_onnx(network, run.job_id)
    return Inspection(parameters=network.parameters, inputs=classifier.inputs, pins={"run": ref})


def _find(library: Library, ref: int | str) -> tuple[RunCard, int | str]:
    """The job, or that of the version of a registered model, and what names it for good: `owner/name@number`."""
    if isinstance(ref, int):
        return find_run(library, ref, path="run"), ref
    try:
        card = library.model(ref)
    except (NotFound, InvalidRequest) as error:
        raise InvalidSpec([FieldProblem("run", error.text)]) from error
    return card.run, card.ref


def _check_onnx(network: Network, job_id: int) -> None:
    for node in network.layers:
        activation = node.layer.options().get("activation")
        if node.layer.type not in ONNX_LAYERS or (activation is not None and activation not in ONNX_ACTIVATIONS):
            what = node.layer.type if node.layer.type not in ONNX_LAYERS else f"the activation {activation}"
            text = (
                f"The network of job {job_id} has {what} (layer {node.name!r}), which cannot be written as "
                "ONNX yet. Leave onnx out, or take another format."
            )
            raise InvalidSpec([FieldProblem("formats", text)])
