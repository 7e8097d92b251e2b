"""What textbooks count: parameters and activations by hand, 32-bit, without what frameworks add.

Predicting keeps two layers that follow each other; training keeps every activation of every image of the batch, for
the backward pass. Only layers with weights, or that change a shape, have activations of their own here: an activation
function, dropout and the like work in place, as one counts by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ml.networks import IMAGES, Network

FLOAT_BYTES = 4
IN_PLACE = frozenset(
    {
        "Rescaling",
        "ChannelOrder",
        "Activation",
        "Dropout",
        "StochasticDepth",
        "Flatten",
        "Reshape",
        "BatchNormalization",
        "LayerNormalization",
        "LayerScale",
    }
)
"""Types whose output one counts as their input."""


@dataclass(frozen=True)
class Textbook:
    """Bytes, counted by hand."""

    weights: int
    predict_activations: int
    """The two consecutive layers that together are largest, for one image."""
    train_activations: int
    """All layers' outputs, for the batch."""
    train_input: int
    """The images of the batch."""

    @property
    def predict(self) -> int:
        """To predict one image: two layers and the weights."""
        return self.predict_activations + self.weights

    @property
    def train(self) -> int:
        """To train a batch: all activations, the images and the weights."""
        return self.train_activations + self.train_input + self.weights


def count_by_hand(network: Network, *, batch_size: int) -> Textbook:
    """Count as a textbook does. The images themselves are no layer's output: they count for training alone."""
    outputs, pairs = [0], [0]
    owners: dict[str, frozenset[str]] = {IMAGES: frozenset()}
    """By layer, those with an output of their own that it hands on."""
    sizes: dict[str, int] = {}
    for node in network.layers:
        feeders = frozenset().union(*(owners[name] for name in node.inputs))
        if node.layer.type in IN_PLACE:
            owners[node.name] = feeders
            continue
        owners[node.name] = frozenset({node.name})
        sizes[node.name] = prod(network.output_shapes[node.name])
        outputs.append(sizes[node.name])
        pairs.append(sizes[node.name] + sum(sizes[name] for name in feeders))
    return Textbook(
        weights=network.parameters * FLOAT_BYTES,
        predict_activations=max(pairs) * FLOAT_BYTES,
        train_activations=sum(outputs) * batch_size * FLOAT_BYTES,
        train_input=prod(network.input_shape) * batch_size * FLOAT_BYTES,
    )
