"""Networks as data: graphs of layers in Keras's vocabulary, and the arithmetic over them. Never imports Keras.

`make_network` makes one by name, `Network.from_json` one that somebody sent; `ml.engine.build` makes the Keras model.
"""

from __future__ import annotations

from ml.networks.errors import InputTooSmall, NetworkError
from ml.networks.graph import IMAGES, LOGITS, PROBABILITIES, Auxiliary, Draft, LayerRow, Network, Node
from ml.networks.named import NETWORKS, NamedNetwork, make_network

__all__ = [
    "IMAGES",
    "LOGITS",
    "NETWORKS",
    "PROBABILITIES",
    "Auxiliary",
    "Draft",
    "InputTooSmall",
    "LayerRow",
    "NamedNetwork",
    "Network",
    "NetworkError",
    "Node",
    "make_network",
]
