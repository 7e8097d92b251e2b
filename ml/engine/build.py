"""From a network as data to a `keras.Model` with its first weights."""

from __future__ import annotations

import hashlib
from typing import Any

import keras

from ml.engine.layers import LeCun1998, PartialConv2D, TrainableSubsampling2D, scaled_tanh
from ml.networks import IMAGES, LOGITS, PROBABILITIES, Network, Node

OWN_LAYERS: dict[str, type[keras.layers.Layer]] = {
    "PartialConv2D": PartialConv2D,
    "TrainableSubsampling2D": TrainableSubsampling2D,
}
"""Layers that Keras does not have; every other type is Keras's own."""

FULL_PRECISION = frozenset({LOGITS, PROBABILITIES})
"""Layers that compute in the precision of the weights even where the others use 16 bits: the loss needs it."""


def build_model(network: Network, *, seed: int) -> keras.Model:
    """A functional model of the network, its layers named as in the data.

    Takes `[batch, height, width, channels]` of raw values 0 to 255, uint8 or float, and gives what the last layer
    gives. Equal seeds give equal weights: each layer draws from a seed of its own, made from `seed` and its name, so a
    layer that comes or goes leaves the others as they were. Dropout draws from such a seed too.
    """
    tensors = {IMAGES: keras.Input(shape=network.input_shape, name=IMAGES)}
    for node in network.layers:
        inputs = [tensors[name] for name in node.inputs]
        tensors[node.name] = make_layer(node, seed)(inputs if len(inputs) > 1 else inputs[0])
    return keras.Model(tensors[IMAGES], tensors[network.layers[-1].name], name=network.name)


def make_layer(node: Node, seed: int) -> keras.layers.Layer:
    """The Keras layer of one node."""
    layer_type = node.layer.type
    arguments = {
        key: _argument(key, value, derive_seed(seed, node.name)) for key, value in node.layer.options().items()
    }
    if layer_type == "Dropout":
        arguments["seed"] = derive_seed(seed, node.name)
    if node.name in FULL_PRECISION:
        arguments["dtype"] = keras.config.dtype_policy().variable_dtype
    cls = OWN_LAYERS.get(layer_type) or getattr(keras.layers, layer_type)
    return cls(name=node.name, **arguments)


def derive_seed(seed: int, name: str) -> int:
    """A seed below 2**31 that depends on both, the same on every machine and in every version of Python."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big") >> 1


def _argument(key: str, value: Any, seed: int) -> Any:
    if key == "kernel_initializer":
        return _initializer(value, seed)
    return scaled_tanh if value == "scaled_tanh" else value


def _initializer(name: str, seed: int) -> keras.initializers.Initializer:
    if name == "lecun_1998":
        return LeCun1998(seed=seed)
    return keras.initializers.get({"class_name": name, "config": {"seed": seed}})
