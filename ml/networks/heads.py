"""The end of a network: what tells the classes apart, and is made anew for others. Pure."""

from __future__ import annotations

from ml.networks.graph import Network

WHOLE = frozenset({"Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D"})
"""Layers that leave no places of the image."""


def head_layers(network: Network) -> tuple[str, ...]:
    """The layers with weights at the end of a network, in its order: those behind the last maps, at least one.

    Where the classes are maps of a convolution whose means are taken, as in SqueezeNet, it is that convolution.
    """
    nodes = {node.name: node for node in network.layers}
    weighty = {row.name for row in network.table if row.parameters}
    found: list[str] = []
    whole, name = False, network.layers[-1].name
    while name in nodes and len(nodes[name].inputs) == 1 and not (whole and found):
        node = nodes[name]
        whole = whole or node.layer.type in WHOLE
        if name in weighty:
            found.append(name)
        (name,) = node.inputs
    return tuple(reversed(found))
