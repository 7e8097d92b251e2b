"""Weights that the yard knows by name, as a spec refers to them."""

from __future__ import annotations

from ml.networks import Network, head_layers, make_network
from ml.networks.transfer import new_layers
from records.errors import FieldProblem, InvalidSpec, near_matches, shorten
from records.weights import IMAGENET_CLASSES, WEIGHTS, Weights, weights_of


def find_pretrained(name: str, *, path: str = "base") -> Weights:
    """The weights of that name, or the fullest that there are for a network of that name.

    Raises:
        InvalidSpec: there are none.
    """
    if name in WEIGHTS:
        return WEIGHTS[name]
    if known := weights_of(name):
        return known[0]
    networks = sorted({weights.network for weights in WEIGHTS.values()})
    text = f"No pretrained weights are called {shorten(repr(name))}, nor a network that has some."
    raise InvalidSpec([FieldProblem(f"{path}.pretrained", f"{text} {near_matches(name, networks)}")])


def draw_pretrained(weights: Weights) -> Network:
    """The network that they fit, as it was trained: for colour images of their size, and ImageNet's classes."""
    shape = (weights.side_px, weights.side_px, 3)
    return make_network(weights.network, shape, weights.classes or IMAGENET_CLASSES, dict(weights.options))


def fresh_layers(network: Network, pretrained: str | None) -> frozenset[str]:
    """The layers with weights that begin anew: the last, or for weights that end before the head, all of the head.

    Args:
        network: with a new head.
        pretrained: the name of the weights; None for those of an earlier run.
    """
    if pretrained is None or find_pretrained(pretrained).classes is not None:
        return new_layers(network)
    return frozenset(head_layers(network))
