"""The feature network: what it says of an image, layer by layer, for images of any size."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import keras

from ml.engine.build import build_model, make_layer
from ml.engine.precision import BFLOAT16
from ml.engine.pretrained import load_pretrained
from ml.networks import IMAGES, Network, Node
from ml.networks.cut import cut_after, with_average_pooling
from ml.networks.feature_networks import FeatureNetwork

Precision = Literal["float32", "bfloat16"]
Features = Callable[[Any], dict[str, Any]]
"""From a batch of images to the outputs of some layers, by name."""
_DRAWN_PX = 224
"""What the network is drawn for; as it is convolutional up to its head, it takes images of any size."""


def load_features(
    chosen: FeatureNetwork, path: Path, names: Sequence[str], *, average_pooling: bool, precision: Precision
) -> Features:
    """The named layers of a pretrained network.

    Args:
        chosen: the network.
        path: the file of its weights.
        names: layers.
        average_pooling: take means where it takes the largest values.
        precision: of the convolutions behind the first.

    Raises:
        WeightsUnreadable: the file does not fit.
    """
    network = chosen.draw(_DRAWN_PX, _DRAWN_PX)
    whole = build_model(network, seed=0, any_size=True)
    load_pretrained(whole, network, chosen.source, path)
    model = build_features(network, names, average_pooling=average_pooling, precision=precision)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(whole.get_layer(layer.name).get_weights())
    del whole
    gc.collect()  # a model refers to itself; its numbers would stay beside those that are used
    return model


def build_features(
    network: Network, names: Sequence[str], *, average_pooling: bool, precision: Precision = "float32"
) -> keras.Model:
    """A model that gives the named layers' outputs, by name.

    Takes `[batch, height, width, 3]` of 0 to 255 as float32. With `bfloat16`, layers behind the first convolution
    compute in 16 bits: before it, pixels are numbers of up to 255 whose small changes 16 bits would not hold.
    """
    front = cut_after(network, names)
    if average_pooling:
        front = with_average_pooling(front)
    tensors: dict[str, Any] = {IMAGES: keras.Input(shape=(None, None, network.input_shape[-1]), name=IMAGES)}
    first = _up_to_first_convolution(front.layers)
    policy = None if precision == "float32" else BFLOAT16
    for node in front.layers:
        layer = make_layer(node, 0, full_precision=node.name in first, policy=policy)
        inputs = [tensors[name] for name in node.inputs]
        tensors[node.name] = layer(inputs if len(inputs) > 1 else inputs[0])
    model = keras.Model(tensors[IMAGES], {name: tensors[name] for name in names}, name=f"{network.name}_features")
    model.trainable = False
    return model


def _up_to_first_convolution(layers: Sequence[Node]) -> set[str]:
    names = set()
    for node in layers:
        names.add(node.name)
        if node.layer.type == "Conv2D":
            break
    return names
