"""ONNX files, written from the network as data and the weights: no framework is asked, and the names are our own.

`docs/decisions/0005-onnx-from-the-network-as-data.md` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx

from ml.exports.onnx_graph import Graph
from ml.exports.onnx_layers import RULES, Place, Weights
from ml.networks import IMAGES, PROBABILITIES, Network


def write_onnx(network: Network, weights: Mapping[str, Weights], target: Path, *, about: Mapping[str, str]) -> None:
    """Write a trained network; it takes and gives what its model does, images with the channels last.

    Args:
        network: without auxiliary heads.
        weights: of each layer that has some, by name, in Keras's order.
        target: the file to write.
        about: what the file's metadata should say.
    """
    onnx.save(make_onnx(network, weights, about=about), target)


def make_onnx(network: Network, weights: Mapping[str, Weights], *, about: Mapping[str, str]) -> onnx.ModelProto:
    """The same in memory. Equal arguments give equal bytes."""
    graph, shapes = Graph(network.name), network.output_shapes
    tensors = {IMAGES: graph.to_first(IMAGES, f"{IMAGES}/first")}
    for node in network.layers:
        place = Place(
            graph=graph,
            node=node,
            tensors=[tensors[name] for name in node.inputs],
            shapes=[shapes[name] for name in node.inputs],
            output_shape=shapes[node.name],
            weights=weights.get(node.name, ()),
        )
        tensors[node.name] = RULES[node.layer.type](place)
    last = tensors[network.layers[-1].name]
    if len(network.output_shape) == 3:
        graph.to_last(last, PROBABILITIES)
    else:
        graph.add("Identity", [last], PROBABILITIES)
    return graph.finish(taken=(IMAGES, network.input_shape), given=(PROBABILITIES, network.output_shape), about=about)
