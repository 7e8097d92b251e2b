"""How long operations of a traced step keep a processor thread busy. TensorFlow only."""

from __future__ import annotations

from math import prod

import tensorflow as tf

from ml.estimates import work

CHEAP_S = 1e-6
VIEWS = frozenset({"ExpandDims", "Identity", "PreventGradient", "Reshape", "Snapshot", "Squeeze", "StopGradient"})
"""Operations whose output is their first input's memory."""
CHEAP = VIEWS | {"Const", "NoOp", "Placeholder", "Rank", "ReadVariableOp", "Shape", "ShapeN", "Size", "VarHandleOp"}
"""Operations that TensorFlow knows to be done at once (`OpKernel::IsExpensive`)."""


def seconds(op: tf.Operation) -> float:
    """How long an operation takes."""
    if op.type in CHEAP:
        return CHEAP_S
    moved = sum(size_bytes(tensor) for tensor in (*op.inputs, *op.outputs))
    return work.seconds(flops=flops(op), moved_bytes=moved)


def flops(op: tf.Operation) -> int:
    """Multiplications and additions of a convolution, of its gradients, or of a product of matrices; else 0."""
    if op.type == "MatMul":
        rows, columns = op.inputs[0].shape
        return 2 * prod(op.outputs[0].shape) * (rows if op.get_attr("transpose_a") else columns)
    if not op.type.startswith(("Conv2D", "DepthwiseConv2dNative")):
        return 0
    kernel = op.outputs[0] if op.type.endswith("BackpropFilter") else op.inputs[1]
    maps = op.inputs[2] if "Backprop" in op.type else op.outputs[0]
    height, width, channels, _ = kernel.shape
    if op.type.startswith("Depthwise"):
        return 2 * prod(maps.shape) * height * width * work.DEPTHWISE_COST
    return 2 * prod(maps.shape) * height * width * channels


def size_bytes(tensor: tf.Tensor) -> int:
    """Of a tensor; 0 where it has no numbers or its shape is unknown."""
    if tensor.dtype in (tf.resource, tf.variant, tf.string) or not tensor.shape.is_fully_defined():
        return 0
    return prod(tensor.shape) * tensor.dtype.size
