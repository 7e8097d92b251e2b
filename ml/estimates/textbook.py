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
IN_PLACE = frozenset({"Rescaling", "Activation", "Dropout", "Flatten", "Reshape", "BatchNormalization"})
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
    outputs = _outputs(network)
    pairs = [size + sum(outputs.get(name, 0) for name in _feeders(network, node)) for node, size in outputs.items()]
    return Textbook(
        weights=network.parameters * FLOAT_BYTES,
        predict_activations=max(pairs) * FLOAT_BYTES,
        train_activations=sum(outputs.values()) * batch_size * FLOAT_BYTES,
        train_input=prod(network.input_shape) * batch_size * FLOAT_BYTES,
    )


def _outputs(network: Network) -> dict[str, int]:
    """Numbers in the output of every layer that has one of its own."""
    return {node.name: prod(network.output_shapes[node.name]) for node in network.layers if not _in_place(node)}


def _in_place(node: object) -> bool:
    return node.layer.type in IN_PLACE  # type: ignore[attr-defined]


def _feeders(network: Network, name: str) -> set[str]:
    """The layers with an output of their own that feed this one, seen through those that work in place."""
    nodes = {node.name: node for node in network.layers}
    found: set[str] = set()
    waiting = list(nodes[name].inputs)
    while waiting:
        feeder = waiting.pop()
        if feeder == IMAGES:
            continue
        if _in_place(nodes[feeder]):
            waiting += nodes[feeder].inputs
        else:
            found.add(feeder)
    return found
