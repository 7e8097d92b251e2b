"""From a network as data to a `keras.Model` with its first weights."""

from __future__ import annotations

import hashlib
from typing import Any

import keras

from ml.engine.layers import LeCun1998, PartialConv2D, TrainableSubsampling2D, scaled_tanh
from ml.engine.maps import ChannelOrder, ChannelPadding, GroupedConv2D, LocalResponseNormalization
from ml.engine.residuals import LayerScale, StochasticDepth
from ml.engine.upsampling import Bilinear
from ml.networks import IMAGES, LOGITS, PROBABILITIES, Network, Node

OWN_LAYERS: dict[str, type[keras.layers.Layer]] = {
    "ChannelOrder": ChannelOrder,
    "ChannelPadding": ChannelPadding,
    "LayerScale": LayerScale,
    "LocalResponseNormalization": LocalResponseNormalization,
    "PartialConv2D": PartialConv2D,
    "StochasticDepth": StochasticDepth,
    "TrainableSubsampling2D": TrainableSubsampling2D,
}
"""Layers that Keras does not have; every other type is Keras's own."""

DRAWING_IN_TRAINING = frozenset({"Dropout", "StochasticDepth"})
"""Layers that draw random numbers while they train, from a seed of their own."""

FULL_PRECISION = frozenset({LOGITS, PROBABILITIES})
"""Layers that compute in the precision of the weights even where the others use 16 bits: the loss needs it."""

MOST_SPLIT_GROUPS = 8
"""A convolution in more groups than these is left to Keras, as one convolution a group would be slow."""


def build_model(network: Network, *, seed: int, any_size: bool = False, policy: str | None = None) -> keras.Model:
    """A functional model of the network, its layers named as in the data.

    Takes `[batch, height, width, channels]` of raw values 0 to 255, uint8 or float, and gives what the last layer
    gives; a network with auxiliary heads gives a list, the last layer's output first, then the heads' logits in their
    order. Equal seeds give equal weights: each layer draws from a seed of its own, made from `seed` and its name, so a
    layer that comes or goes leaves the others as they were. Dropout draws from such a seed too.

    With `any_size`, height and width are left open: for networks that are convolutional throughout. `policy` is that of
    the layers (`ml.engine.precision.layer_policy`), the process's own when left out; the last ones and the heads
    compute in 32 bits with any.
    """
    heads = [head.name for head in network.auxiliary]
    height, width, channels = network.input_shape
    shape = (None, None, channels) if any_size else (height, width, channels)
    tensors = {IMAGES: keras.Input(shape=shape, name=IMAGES)}
    for node in network.layers:
        inputs = [tensors[name] for name in node.inputs]
        full = node.name in FULL_PRECISION or node.name in heads
        layer = make_layer(node, seed, full_precision=full, policy=policy)
        tensors[node.name] = layer(inputs if len(inputs) > 1 else inputs[0])
    outputs = [tensors[name] for name in (network.layers[-1].name, *heads)]
    return keras.Model(tensors[IMAGES], outputs if heads else outputs[0], name=network.name)


def main_model(model: keras.Model) -> keras.Model:
    """The model without its auxiliary heads, its layers and weights shared: what predicts, and what is kept."""
    if len(model.outputs) == 1:
        return model
    return keras.Model(model.inputs[0], model.outputs[0], name=model.name)


def make_layer(node: Node, seed: int, *, full_precision: bool = False, policy: str | None = None) -> keras.layers.Layer:
    """The Keras layer of one node."""
    arguments = {key: _argument(key, value, node.name, seed) for key, value in node.layer.options().items()}
    if node.layer.type in DRAWING_IN_TRAINING:
        arguments["seed"] = derive_seed(seed, node.name)
    if full_precision:
        arguments["dtype"] = keras.config.dtype_policy().variable_dtype
    elif policy is not None:
        arguments["dtype"] = policy
    return _layer_class(node)(name=node.name, **arguments)


def derive_seed(seed: int, name: str) -> int:
    """A seed below 2**31 that depends on both, the same on every machine and in every version of Python."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big") >> 1


def _layer_class(node: Node) -> type[keras.layers.Layer]:
    if node.layer.type == "Conv2D" and 1 < node.layer.options()["groups"] <= MOST_SPLIT_GROUPS:
        return GroupedConv2D
    return OWN_LAYERS.get(node.layer.type) or getattr(keras.layers, node.layer.type)


def _argument(key: str, value: Any, layer: str, seed: int) -> Any:
    if key == "kernel_initializer":
        return _initializer(value, derive_seed(seed, layer))
    if key.endswith("_initializer"):  # a layer's second kernel draws other numbers than its first
        return _initializer(value, derive_seed(seed, f"{layer}/{key}"))
    return scaled_tanh if value == "scaled_tanh" else value


def _initializer(name: str, seed: int) -> keras.initializers.Initializer:
    if name == "lecun_1998":
        return LeCun1998(seed=seed)
    if name == "bilinear":
        return Bilinear()
    return keras.initializers.get({"class_name": name, "config": {"seed": seed}})
