"""One rule a layer: which ONNX nodes compute it. Needs numpy.

Maps flow as ONNX has them, `[batch, channels, height, width]`; all else as Keras has it. Shapes are those of
`ml.networks`, without the batch and with the channels last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.exports.onnx_graph import Graph
from ml.networks import Node
from ml.networks.layers import Shape
from ml.networks.layers.base import spread

Weights = Sequence[NDArray[np.float32]]


@dataclass(frozen=True)
class Place:
    """A layer in its place, while it is written."""

    graph: Graph
    node: Node
    tensors: Sequence[str]
    """What feeds it."""
    shapes: Sequence[Shape]
    """Of what feeds it."""
    output_shape: Shape
    weights: Weights
    """In Keras's order."""

    @property
    def tensor(self) -> str:
        """The one thing that feeds it."""
        return self.tensors[0]

    @property
    def options(self) -> Mapping[str, Any]:
        """The arguments that made the layer."""
        return self.node.layer.options()

    def name(self, part: str = "out") -> str:
        """Of a node or a constant of this layer."""
        return f"{self.node.name}/{part}"

    def add(self, op: str, inputs: Sequence[str], part: str = "out", **attributes: Any) -> str:
        """A node of this layer."""
        return self.graph.add(op, inputs, self.name(part), **attributes)

    def constant(self, part: str, value: Any, dtype: Any = np.float32) -> str:
        """A constant of this layer."""
        return self.graph.constant(self.name(part), value, dtype)

    def is_maps(self) -> bool:
        """Whether maps feed it."""
        return len(self.shapes[0]) == 3


def a_map_each(values: Any) -> NDArray[np.float32]:
    """One number a map, to be spread over height and width."""
    return np.asarray(values, np.float32).reshape(1, -1, 1, 1)


def pads(shape: Shape, window: Sequence[int], strides: Sequence[int], padding: str) -> list[int]:
    """Rows above, columns to the left, rows below, columns to the right; of an odd number, more below and right."""
    if padding == "valid":
        return [0, 0, 0, 0]
    missing = [
        max((-(-size // step) - 1) * step + reach - size, 0)
        for size, reach, step in zip(shape[:2], window, strides, strict=True)
    ]
    return [missing[0] // 2, missing[1] // 2, missing[0] - missing[0] // 2, missing[1] - missing[1] // 2]


# ── convolutions ─────────────────────────────────────────────────────────────────────────────────────────────


def conv(place: Place, tensor: str, kernel: Any, bias: Any = None, *, part: str = "out", groups: int = 1) -> str:
    """A convolution with its layer's strides and padding; the kernel is `[out, in / groups, height, width]`."""
    window, strides = kernel.shape[2:], place.options.get("strides", (1, 1))
    dilations = place.options.get("dilation_rate", (1, 1))
    inputs = [tensor, place.constant(f"{part}_kernel", kernel)]
    if bias is not None:
        inputs.append(place.constant(f"{part}_bias", bias))
    return place.add(
        "Conv",
        inputs,
        part,
        kernel_shape=window,
        strides=strides,
        dilations=dilations,
        pads=pads(place.shapes[0], spread(window, dilations), strides, place.options["padding"]),
        group=groups,
    )


def conv2d(place: Place) -> str:
    kernel, *bias = place.weights
    return conv(place, place.tensor, kernel.transpose(3, 2, 0, 1), *bias, groups=place.options["groups"])


def partial_conv2d(place: Place) -> str:
    slices, bias = place.weights
    connections = place.options["connections"]
    kernel = np.zeros((len(connections), place.shapes[0][-1], *slices.shape[:2]), np.float32)
    pairs = [(output, seen) for output, maps in enumerate(connections) for seen in maps]
    for number, (output, seen) in enumerate(pairs):
        kernel[output, seen] = slices[:, :, number]
    return conv(place, place.tensor, kernel, bias)


def depthwise_kernel(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """From `[height, width, channels, multiplier]` to one output map after another, a group each."""
    height, width, channels, multiplier = kernel.shape
    return kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)


def depthwise_conv2d(place: Place) -> str:
    kernel, *bias = place.weights
    return conv(place, place.tensor, depthwise_kernel(kernel), *bias, groups=kernel.shape[2])


def separable_conv2d(place: Place) -> str:
    depthwise, pointwise, *bias = place.weights
    kernel = depthwise_kernel(depthwise)
    maps = conv(place, place.tensor, kernel, part="depthwise", groups=depthwise.shape[2])
    inputs = [maps, place.constant("pointwise_kernel", pointwise.transpose(3, 2, 0, 1))]
    inputs += [place.constant("bias", value) for value in bias]
    return place.add("Conv", inputs, kernel_shape=(1, 1))


def conv2d_transpose(place: Place) -> str:
    kernel, *bias = place.weights
    window, strides = kernel.shape[:2], place.options["strides"]
    # `same` cuts what windows write beyond the edges; where windows do not touch, zeros stand between and behind them.
    cut = [
        max(side - step, 0) if place.options["padding"] == "same" else 0
        for side, step in zip(window, strides, strict=True)
    ]
    inputs = [place.tensor, place.constant("kernel", kernel.transpose(3, 2, 0, 1))]
    inputs += [place.constant("bias", value) for value in bias]
    return place.add(
        "ConvTranspose",
        inputs,
        kernel_shape=window,
        strides=strides,
        pads=[*(side // 2 for side in cut), *(side - side // 2 for side in cut)],
        output_padding=[max(step - side, 0) for side, step in zip(window, strides, strict=True)],
    )


def upsampling(place: Place) -> str:
    scales = place.constant("scales", [1.0, 1.0, *map(float, place.options["size"])])
    if place.options["interpolation"] == "bilinear":
        return place.add(
            "Resize", [place.tensor, "", scales], mode="linear", coordinate_transformation_mode="half_pixel"
        )
    return place.add(
        "Resize",
        [place.tensor, "", scales],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def dense(place: Place) -> str:
    kernel, *bias = place.weights
    if len(place.shapes[0]) == 1:
        inputs = [place.tensor, place.constant("kernel", kernel)]
        return place.add("Gemm", [*inputs, *(place.constant("bias", value) for value in bias)])
    tensor = place.graph.to_last(place.tensor, place.name("last")) if place.is_maps() else place.tensor
    tensor = place.add("MatMul", [tensor, place.constant("kernel", kernel)], "product")
    for value in bias:
        tensor = place.add("Add", [tensor, place.constant("bias", value)], "sum")
    return place.graph.to_first(tensor, place.name()) if place.is_maps() else tensor


# ── pooling and padding ──────────────────────────────────────────────────────────────────────────────────────


def pooling(op: str) -> Callable[[Place], str]:
    """Keras leaves the padding out of a mean, which is ONNX's default."""

    def pool(place: Place) -> str:
        window = place.options["pool_size"]
        strides = place.options["strides"] or window
        around = pads(place.shapes[0], window, strides, place.options["padding"])
        return place.add(op, [place.tensor], kernel_shape=window, strides=strides, pads=around)

    return pool


def trainable_subsampling(place: Place) -> str:
    coefficient, bias = place.weights
    window = place.options["pool_size"]
    mean = place.add("AveragePool", [place.tensor], "mean", kernel_shape=window, strides=window)
    scaled = place.add("Mul", [mean, place.constant("coefficient", a_map_each(coefficient))], "scaled")
    return place.add("Add", [scaled, place.constant("bias", a_map_each(bias))])


def global_pooling(op: str) -> Callable[[Place], str]:
    def pool(place: Place) -> str:
        pooled = place.add(op, [place.tensor], "pooled")
        return pooled if place.options["keepdims"] else place.add("Flatten", [pooled])

    return pool


def zero_padding(place: Place) -> str:
    (above, below), (left, right) = place.options["padding"]
    return _pad(place, [0, 0, above, left, 0, 0, below, right])


def channel_padding(place: Place) -> str:
    return _pad(place, [0, 0, 0, 0, 0, place.options["channels"] - place.shapes[0][-1], 0, 0])


def _pad(place: Place, sides: Sequence[int]) -> str:
    return place.add("Pad", [place.tensor, place.constant("pads", sides, np.int64)])


# ── what keeps or regroups ───────────────────────────────────────────────────────────────────────────────────


def rescaling(place: Place) -> str:
    """With one number for all channels, or one each."""
    scale, offset = (
        a_map_each(value) if place.is_maps() and np.ndim(value) else value
        for value in (place.options["scale"], place.options["offset"])
    )
    scaled = place.add("Mul", [place.tensor, place.constant("scale", scale)], "scaled")
    return place.add("Add", [scaled, place.constant("offset", offset)])


def channel_order(place: Place) -> str:
    order = place.constant("order", place.options["order"], np.int64)
    return place.add("Gather", [place.tensor, order], axis=1 if place.is_maps() else -1)


def reshape(place: Place) -> str:
    tensor = place.graph.to_last(place.tensor, place.name("last")) if place.is_maps() else place.tensor
    shape = place.constant("shape", [-1, *place.output_shape], np.int64)
    made = place.add("Reshape", [tensor, shape], "reshaped")
    return place.graph.to_first(made, place.name()) if len(place.output_shape) == 3 else made


def dropout(place: Place) -> str:
    return place.tensor


def batch_normalization(place: Place) -> str:
    if not place.is_maps() and len(place.shapes[0]) > 1:
        return _scale_last(place)
    names = ("gamma", "beta", "mean", "variance")
    values = [place.constant(name, value) for name, value in zip(names, place.weights, strict=True)]
    return place.add("BatchNormalization", [place.tensor, *values], epsilon=place.options["epsilon"])


def _scale_last(place: Place) -> str:
    """ONNX normalises the second axis; where the channels are another one, it is a scale and a shift."""
    gamma, beta, mean, variance = place.weights
    scale = gamma / np.sqrt(variance + place.options["epsilon"])
    scaled = place.add("Mul", [place.tensor, place.constant("scale", scale)], "scaled")
    return place.add("Add", [scaled, place.constant("shift", beta - mean * scale)])


def layer_normalization(place: Place) -> str:
    """ONNX normalises the last axes."""
    tensor = place.graph.to_last(place.tensor, place.name("last")) if place.is_maps() else place.tensor
    values = [place.constant(name, value) for name, value in zip(("gamma", "beta"), place.weights, strict=True)]
    made = place.add("LayerNormalization", [tensor, *values], "normalised", axis=-1, epsilon=place.options["epsilon"])
    return place.graph.to_first(made, place.name()) if place.is_maps() else made


def layer_scale(place: Place) -> str:
    (gamma,) = place.weights
    return place.add("Mul", [place.tensor, place.constant("gamma", a_map_each(gamma) if place.is_maps() else gamma)])


def local_response_normalization(place: Place) -> str:
    """ONNX divides alpha by the size, as Caffe does."""
    size, k, alpha, beta = (place.options[name] for name in ("size", "k", "alpha", "beta"))
    return place.add("LRN", [place.tensor], size=size, bias=k, alpha=alpha * size, beta=beta)


def activation(place: Place) -> str:
    return ACTIVATIONS[place.options["activation"]](place)


def one_node(op: str, **attributes: Any) -> Callable[[Place], str]:
    """An activation that ONNX has as it is."""
    return lambda place: place.add(op, [place.tensor], **attributes)


def relu6(place: Place) -> str:
    return place.add("Clip", [place.tensor, place.constant("low", 0.0), place.constant("high", 6.0)])


def scaled_tanh(place: Place) -> str:
    stretched = place.add("Mul", [place.tensor, place.constant("two_thirds", 2.0 / 3.0)], "stretched")
    squashed = place.add("Tanh", [stretched], "squashed")
    return place.add("Mul", [squashed, place.constant("amplitude", 1.7159)])


def silu(place: Place) -> str:
    return place.add("Mul", [place.tensor, place.add("Sigmoid", [place.tensor], "gate")])


def gelu(place: Place) -> str:
    """x / 2 · (1 + erf(x / √2)), as it is in the paper and in Keras; ONNX has it from operator set 20 on."""
    scaled = place.add("Mul", [place.tensor, place.constant("root", math.sqrt(0.5))], "scaled")
    raised = place.add("Add", [place.add("Erf", [scaled], "erf"), place.constant("one", 1.0)], "raised")
    half = place.add("Mul", [place.tensor, place.constant("half", 0.5)], "halved")
    return place.add("Mul", [half, raised])


def softmax(place: Place) -> str:
    return place.add("Softmax", [place.tensor], axis=1 if place.is_maps() else -1)


ACTIVATIONS: Mapping[str, Callable[[Place], str]] = {
    "relu": one_node("Relu"),
    "relu6": relu6,
    "tanh": one_node("Tanh"),
    "scaled_tanh": scaled_tanh,
    "sigmoid": one_node("Sigmoid"),
    "hard_sigmoid": one_node("HardSigmoid", alpha=1.0 / 6.0, beta=0.5),
    "elu": one_node("Elu"),
    "gelu": gelu,
    "silu": silu,
    "hard_silu": one_node("HardSwish"),
    "softmax": softmax,
    "linear": dropout,
}


# ── joins ────────────────────────────────────────────────────────────────────────────────────────────────────


def add(place: Place) -> str:
    return place.add("Sum", place.tensors)


def multiply(place: Place) -> str:
    product = place.tensor
    for number, tensor in enumerate(place.tensors[1:], 1):
        product = place.add("Mul", [product, tensor], f"product_{number}")
    return product


def concatenate(place: Place) -> str:
    return place.add("Concat", place.tensors, axis=1 if place.is_maps() else -1)


RULES: Mapping[str, Callable[[Place], str]] = {
    "Rescaling": rescaling,
    "ChannelOrder": channel_order,
    "Conv2D": conv2d,
    "PartialConv2D": partial_conv2d,
    "DepthwiseConv2D": depthwise_conv2d,
    "SeparableConv2D": separable_conv2d,
    "Conv2DTranspose": conv2d_transpose,
    "UpSampling2D": upsampling,
    "Dense": dense,
    "MaxPooling2D": pooling("MaxPool"),
    "AveragePooling2D": pooling("AveragePool"),
    "TrainableSubsampling2D": trainable_subsampling,
    "GlobalAveragePooling2D": global_pooling("GlobalAveragePool"),
    "GlobalMaxPooling2D": global_pooling("GlobalMaxPool"),
    "ZeroPadding2D": zero_padding,
    "ChannelPadding": channel_padding,
    "Flatten": reshape,
    "Reshape": reshape,
    "Dropout": dropout,
    "StochasticDepth": dropout,
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "LayerScale": layer_scale,
    "LocalResponseNormalization": local_response_normalization,
    "Activation": activation,
    "Add": add,
    "Multiply": multiply,
    "Concatenate": concatenate,
}
"""By the layer's type. `ml.inspections.export` refuses what is not here before a job queues."""
