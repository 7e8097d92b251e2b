"""The feature network: what it says of an image, layer by layer, for images of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import keras

from ml.engine.build import make_layer
from ml.networks import IMAGES, Network, Node
from ml.networks.cut import cut_after, with_average_pooling

Precision = Literal["float32", "bfloat16"]


def build_features(
    network: Network, names: Sequence[str], *, average_pooling: bool, precision: Precision = "float32"
) -> tuple[keras.Model, Network]:
    """A model that gives the named layers' outputs, by name; and the network that it is a model of.

    Takes `[batch, height, width, 3]` of 0 to 255 as float32. With `bfloat16`, layers behind the first convolution
    compute in 16 bits: before it, pixels are numbers of up to 255 whose small changes 16 bits would not hold.
    """
    front = cut_after(network, names)
    if average_pooling:
        front = with_average_pooling(front)
    tensors: dict[str, Any] = {IMAGES: keras.Input(shape=(None, None, network.input_shape[-1]), name=IMAGES)}
    with _precision(precision):
        first = _up_to_first_convolution(front.layers)
        for node in front.layers:
            layer = make_layer(node, 0, full_precision=node.name in first)
            inputs = [tensors[name] for name in node.inputs]
            tensors[node.name] = layer(inputs if len(inputs) > 1 else inputs[0])
    model = keras.Model(tensors[IMAGES], {name: tensors[name] for name in names}, name=f"{network.name}_features")
    model.trainable = False
    return model, front


def _up_to_first_convolution(layers: Sequence[Node]) -> set[str]:
    names = set()
    for node in layers:
        names.add(node.name)
        if node.layer.type == "Conv2D":
            break
    return names


@contextmanager
def _precision(precision: Precision) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else "mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


Features = Callable[[Any], dict[str, Any]]
"""From a batch of images to the outputs of some layers, by name."""
