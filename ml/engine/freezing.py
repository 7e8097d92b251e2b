"""Running a network of which some layers are frozen: they do as after training, whatever the rest does.

Keras has one switch for a whole call, `training`; here each layer gets its own, by walking the network's data: frozen
layers drop nothing and normalise by their stored mean and variance, and their weights stay. TensorFlow only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.datasets.images import Part
from ml.engine.recompute import nodes_between
from ml.networks import IMAGES, LOGITS, Network
from ml.networks.transfer import blocks_of, new_layers

NORMS = frozenset({"BatchNormalization"})


def freeze(model: keras.Model, network: Network, frozen: Collection[str], *, train_norms: bool) -> frozenset[str]:
    """Let all layers learn but these; the layers that run as after training.

    Args:
        model: of the network.
        network: as data.
        frozen: layers whose weights stay.
        train_norms: whether batch norms of the others learn too; those of a new head do in any case.
    """
    norms = {node.name for node in network.layers if node.layer.type in NORMS} - new_layers(network)
    still = frozenset(frozen) | (frozenset() if train_norms else norms)
    for node in network.layers:
        model.get_layer(node.name).trainable = node.name not in still
    return still


class PartialForward:
    """From images, or from what a layer gives for them, to the logits; as `ml.engine.steps.Forward`.

    Args:
        model: of the network.
        network: without auxiliary heads.
        still: layers that run as after training.
        start: the layer whose output comes in; the images themselves when left out.
    """

    def __init__(self, model: keras.Model, network: Network, still: Collection[str], *, start: str = IMAGES) -> None:
        self._model = model
        self._start = start
        self._nodes = nodes_between(network, start)
        self._still = frozenset(still)
        self._shape = network.output_shapes[start]

    def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Logits `[batch, classes]` by name."""
        return {LOGITS: self._run(images, training=True)}

    def predict(self, images: tf.Tensor) -> tf.Tensor:
        """Logits as after training."""
        return self._run(images, training=False)

    @property
    def variables_by_layer(self) -> dict[str, list[keras.Variable]]:
        """What training changes, in the order of the layers."""
        return {node.name: self._model.get_layer(node.name).trainable_variables for node in self._nodes}

    @property
    def variables(self) -> list[keras.Variable]:
        """All of them."""
        return [variable for variables in self.variables_by_layer.values() for variable in variables]

    @property
    def losses(self) -> Sequence[tf.Tensor]:
        """What the layers add to the loss."""
        return self._model.losses

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one image, or of what comes in for it."""
        return self._shape

    def _run(self, images: tf.Tensor, *, training: bool) -> tf.Tensor:
        tensors = {self._start: tf.cast(images, tf.float32)}
        for node in self._nodes:
            inputs = [tensors[name] for name in node.inputs]
            layer = self._model.get_layer(node.name)
            moving = training and node.name not in self._still
            tensors[node.name] = layer(inputs if len(inputs) > 1 else inputs[0], training=moving)
        return tensors[LOGITS]


class Features:
    """What a layer gives for each image, computed once, while everything before it is frozen.

    Args:
        model: of the network.
        layer: whose output is kept.
        forward: from there to the logits.
        batch_size: images at a time.
    """

    def __init__(self, model: keras.Model, layer: str, forward: PartialForward, *, batch_size: int) -> None:
        inner = keras.Model(model.inputs, model.get_layer(layer).output)
        self._compute = tf.function(lambda images: inner(tf.cast(images, tf.float32), training=False))
        self._predict = tf.function(forward.predict)
        self._batch_size = batch_size

    def of(self, part: Part, *, between: Callable[[], None]) -> Part:
        """The same part with features float32 in place of its images; `between` is called after each batch."""
        made = self._by_batch(self._compute, part, between)
        return Part.of(made, part.labels)

    def logits(self, part: Part) -> NDArray[np.float32]:
        """Logits `[n, classes]` of a part of features."""
        return self._by_batch(self._predict, part, lambda: None)

    def _by_batch(
        self, function: Callable[[tf.Tensor], tf.Tensor], part: Part, between: Callable[[], None]
    ) -> NDArray[np.float32]:
        made = []
        for first in range(0, len(part), self._batch_size):
            made.append(function(tf.constant(part[first : first + self._batch_size])).numpy())
            between()
        return np.concatenate(made).astype(np.float32)


def rates_by_block(network: Network, decay: float) -> dict[str, float]:
    """The share of the rate of each layer, by name: 1 for the head, and for each block below `decay` times as much."""
    blocks = blocks_of(network)
    shares = {}
    for height, block in enumerate(reversed(blocks)):
        shares |= dict.fromkeys(block.layers, decay**height)
    return shares
