"""From what a spec says of a network to the network, whether it has a name or layers of its own."""

from __future__ import annotations

from ml.networks.graph import Network
from ml.networks.named import make_network
from ml.networks.own import draw_own
from records.specs.network import NetworkSpec


def draw_network(spec: NetworkSpec, input_shape: tuple[int, int, int], classes: int) -> Network:
    """The network that a spec asks for, for images of this shape.

    Args:
        spec: a name with options, or layers.
        input_shape: height, width, channels.
        classes: how many probabilities come out; at least 2.

    Raises:
        NetworkError: there is no such network for these images; `problems` tells all that was found.
    """
    if spec.layers is not None:
        return draw_own(spec.layers, input_shape, classes)
    assert spec.name is not None  # the spec sees to it that there is one of both
    return make_network(spec.name, input_shape, classes, dict(spec.options))
