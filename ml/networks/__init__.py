"""Networks as data: graphs of layers in Keras's vocabulary, and the arithmetic over them. Never imports Keras.

`draw_network` makes the one that a spec asks for, `make_network` one by name; `ml.engine.build` makes the Keras model.
"""

from __future__ import annotations

from ml.networks.description import describe_network
from ml.networks.diagram import draw_svg, style_hash
from ml.networks.errors import InputTooSmall, InvalidLayers, NetworkError
from ml.networks.graph import IMAGES, LOGITS, PROBABILITIES, Auxiliary, Draft, LayerRow, Network, Node
from ml.networks.heads import head_layers
from ml.networks.named import NETWORKS, NamedNetwork, make_network
from ml.networks.resolve import draw_network
from ml.networks.segmenters import SEGMENTERS, draw_segmenter

__all__ = [
    "IMAGES",
    "LOGITS",
    "NETWORKS",
    "PROBABILITIES",
    "SEGMENTERS",
    "Auxiliary",
    "Draft",
    "InputTooSmall",
    "InvalidLayers",
    "LayerRow",
    "NamedNetwork",
    "Network",
    "NetworkError",
    "Node",
    "describe_network",
    "draw_network",
    "draw_segmenter",
    "draw_svg",
    "head_layers",
    "make_network",
    "style_hash",
]
