"""The front of a network: what some of its layers need, and no more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ml.networks.errors import NetworkError
from ml.networks.graph import Network, Node
from ml.networks.layers import AveragePooling2D, MaxPooling2D
from records.errors import near_matches, shorten


def cut_after(network: Network, names: Sequence[str]) -> Network:
    """The layers that the named ones need, themselves included; the last of them is the network's end.

    Raises:
        NetworkError: no layer has one of the names, or one lies beside the way to the others.
    """
    known = [node.name for node in network.layers]
    for name in names:
        if name not in known:
            raise NetworkError("network", f"No layer is called {shorten(name)!r}. {near_matches(name, known)}")
    needed = _needed(network.layers, names)
    kept = tuple(node for node in network.layers if node.name in needed)
    return Network(network.name, network.input_shape, kept)


def with_average_pooling(network: Network) -> Network:
    """The network with a mean in place of each largest value, which Gatys et al. (2016) found to look better."""
    return replace(network, layers=tuple(_averaged(node) for node in network.layers))


def _needed(layers: Sequence[Node], names: Collection[str]) -> set[str]:
    needed = set(names)
    for node in reversed(layers):
        if node.name in needed:
            needed.update(node.inputs)
    return needed


def _averaged(node: Node) -> Node:
    if not isinstance(node.layer, MaxPooling2D):
        return node
    return replace(node, layer=AveragePooling2D(**node.layer.options()))
