"""`kind: export`: the run has succeeded, its network is known, and the files to build its model from are there."""

from __future__ import annotations

from ml.inspections.exportable import Earlier, find_earlier, need_files
from ml.inspections.inspection import Inspection
from records.errors import FieldProblem, InvalidSpec
from records.inputs import ArtifactInput, DatasetInput
from records.library import Library
from records.specs import ExportSpec
from records.specs.earlier import RECORD

ONNX_LAYERS = frozenset(
    {
        "Activation", "Add", "AveragePooling2D", "BatchNormalization", "ChannelPadding", "Concatenate", "Conv2D",
        "Dense", "DepthwiseConv2D", "Dropout", "Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
        "LocalResponseNormalization", "MaxPooling2D", "Multiply", "PartialConv2D", "Rescaling", "Reshape",
        "SeparableConv2D", "TrainableSubsampling2D", "ZeroPadding2D",
    }
)  # fmt: skip
"""Layers that `ml.exports.onnx_layers` has a rule for; this module may not load that one."""
ONNX_ACTIVATIONS = frozenset(
    {"relu", "relu6", "tanh", "scaled_tanh", "sigmoid", "elu", "gelu", "silu", "softmax", "linear"}
)
"""Activations, likewise."""


def inspect_export(spec: ExportSpec, library: Library) -> Inspection:
    """Check that the run's model can be built again, and written in each format.

    Keras, TensorFlow and TFLite take whatever Keras can build; ONNX takes the layers that we have a rule for.

    Raises:
        InvalidSpec: it cannot; every problem is listed by path.
    """
    earlier = find_earlier(library, spec.run)
    if "onnx" in spec.formats:
        _check_onnx(earlier)
    weights, job_id = f"{spec.weights}.weights.h5", earlier.run.job_id
    need_files(earlier.run, {"run": RECORD, "weights": weights})
    return Inspection(
        parameters=earlier.network.parameters,
        inputs={
            "dataset": DatasetInput(earlier.dataset.ref),
            "record": ArtifactInput(job_id, RECORD),
            "weights": ArtifactInput(job_id, weights),
        },
        pins={"run": earlier.ref},
    )


def _check_onnx(earlier: Earlier) -> None:
    for node in earlier.network.layers:
        activation = node.layer.options().get("activation")
        if node.layer.type not in ONNX_LAYERS or (activation is not None and activation not in ONNX_ACTIVATIONS):
            what = node.layer.type if node.layer.type not in ONNX_LAYERS else f"the activation {activation}"
            text = (
                f"The network of job {earlier.run.job_id} has {what} (layer {node.name!r}), which cannot be written as "
                "ONNX yet. Leave onnx out, or take another format."
            )
            raise InvalidSpec([FieldProblem("formats", text)])
