"""Puts the numbers of a file that somebody trained into a model that was built from our data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ml.engine.weight_files import Stored, WeightFile, open_weights
from ml.networks import IMAGES, Network, Node, head_layers
from ml.networks.layers import Rescaling, Shape
from records.errors import WeightsUnreadable
from records.weights import Weights

SAME_PIXELS = 1e-4
"""How far means and deviations of pixels may be from the network's own, of values 0 to 1."""

ALSO = {"Dense": ("conv2d",), "DepthwiseConv2D": ("conv2d",)}
"""What Keras may have drawn in place of a layer, by its type here."""


@dataclass(frozen=True)
class Loaded:
    """What became of a model's layers that have weights, by name, in the order of the model."""

    layers: tuple[str, ...]
    """Those that have the file's numbers."""
    fresh: tuple[str, ...]
    """Those that were left as they were: the head, or a part of it."""


def load_pretrained(model: keras.Model, network: Network, weights: Weights, path: Path) -> Loaded:
    """Load a file into a model; layers of the head that it does not fit, or does not have, are left as they are.

    Files name layers as their authors did, so arrays are taken in order, each checked by its shape; the order of a
    model's layers is Keras's own, which is also that of Keras's files.

    Args:
        model: of the network, as `ml.engine.build.build_model` makes it, without auxiliary heads.
        network: the one that `weights` names, drawn with its options, for any colour images and any classes.
        weights: what the file is.
        path: where it lies, its bytes verified.

    Raises:
        WeightsUnreadable: the file does not fit; the text names the layer where it ceases to.
    """
    head, loaded = head_layers(network), []
    weighty = [layer for layer in model.layers if layer.weights]
    with open_weights(path) as file:
        _check_pixels(network, file.pixels, path)
        for layer in weighty:
            arrays = _take(file, network, layer.name)
            if arrays is None and layer.name in head:
                break
            if arrays is None:
                raise _mismatch(file, network, layer.name, path)
            if not all(np.isfinite(array).all() for array in arrays):
                raise WeightsUnreadable(f"{path.name} has numbers for layer {layer.name!r} that are not finite.")
            layer.set_weights(arrays)
            loaded.append(layer.name)
        _check_rest(file, loaded, head, weights, path)
    fresh = tuple(layer.name for layer in weighty if layer.name not in loaded)
    return Loaded(tuple(loaded), fresh)


def _take(file: WeightFile, network: Network, name: str) -> list[NDArray[Any]] | None:
    node = _node(network, name)
    return file.take(_kinds(node), _shapes(network, node))


def _node(network: Network, name: str) -> Node:
    return next(node for node in network.layers if node.name == name)


def _shapes(network: Network, node: Node) -> list[Shape]:
    shapes = [network.output_shapes[name] for name in node.inputs]
    return [weight.shape for weight in node.layer.weights(*shapes)]


def _kinds(node: Node) -> Sequence[str]:
    """The names of classes in Keras's files that may stand for a layer: `batch_normalization`, `conv2d`."""
    own = re.sub("([a-z])([A-Z])", r"\1_\2", node.layer.type).lower()
    return (own, *ALSO.get(node.layer.type, ()))


def _mismatch(file: WeightFile, network: Network, name: str, path: Path) -> WeightsUnreadable:
    node = _node(network, name)
    expected = ", ".join(map(str, _shapes(network, node)))
    return WeightsUnreadable(
        f"{path.name} does not fit the network {network.name!r} at layer {name!r}: expected {expected}, got "
        f"{file.next_name(_kinds(node))}. Give the network the options of these weights, and colour images."
    )


def _check_rest(file: WeightFile, loaded: Sequence[str], head: Sequence[str], weights: Weights, path: Path) -> None:
    """What is left may be a head that the model does not have; else the file is for a larger network."""
    if file.left and (weights.classes is None or set(head) <= set(loaded)):
        raise WeightsUnreadable(
            f"{path.name} holds more than the network {weights.network!r} has layers for; the first is {file.left[0]}."
        )


def _check_pixels(network: Network, pixels: Sequence[Stored], path: Path) -> None:
    """Keras's EfficientNet keeps mean and deviation of pixels of 0 to 1 as weights; here they are constants."""
    if not pixels:
        return
    mean, deviation = (pixels[place].read().ravel() for place in (0, 1))
    first = next(node.layer for node in network.layers if IMAGES in node.inputs)
    assert isinstance(first, Rescaling)  # every named network begins with one
    scale, offset = np.asarray(first.scale, np.float64), np.asarray(first.offset, np.float64)
    expected = (-offset / (255 * scale), 1 / (255 * scale))
    if not all(np.allclose(a, b, atol=SAME_PIXELS) for a, b in zip((mean, deviation), expected, strict=True)):
        raise WeightsUnreadable(
            f"{path.name} was trained on pixels of mean {mean} and deviation {deviation}; the network brings them to "
            f"{expected[0]} and {expected[1]}."
        )
