"""What a network is and costs, layer by layer and in all, as plain data for the API, the pages and the command line."""

from __future__ import annotations

from typing import Any

from ml.networks.graph import LayerRow, Network
from ml.networks.own import MOST_ACTIVATIONS, MOST_PARAMETERS
from ml.networks.receptive import View, receptive_views
from records.specs.network import MOST_LAYERS

BYTES_A_NUMBER = 4
"""Weights and activations in 32-bit floating point."""


def describe_network(network: Network) -> dict[str, Any]:
    """Name, shapes, one entry a layer, totals and limits; `json.dumps` takes it.

    Everything holds for one image, forward, in 32 bits. `totals` leaves out what only training has; `training` has it.
    """
    views = receptive_views(network)
    return {
        "name": network.name,
        "input_shape": list(network.input_shape),
        "classes": network.classes,
        "layers": [_layer(row, views[row.name]) for row in network.table],
        "totals": _totals(network.main),
        "training": _totals(network),
        "limits": {"layers": MOST_LAYERS, "parameters": MOST_PARAMETERS, "activations": MOST_ACTIVATIONS},
    }


def _layer(row: LayerRow, view: View) -> dict[str, Any]:
    return {
        "name": row.name,
        "type": row.type,
        "inputs": list(row.inputs),
        "output_shape": list(row.output_shape),
        "parameters": row.parameters,
        "trainable_parameters": row.trainable_parameters,
        "activation_bytes": row.activations * BYTES_A_NUMBER,
        "multiply_adds": row.multiply_adds,
        "receptive_field": list(view.field) if view.field else None,
        "stride": list(view.stride) if view.stride else None,
        "auxiliary": row.auxiliary,
    }


def _totals(network: Network) -> dict[str, int]:
    return {
        "layers": len(network.layers),
        "parameters": network.parameters,
        "trainable_parameters": network.trainable_parameters,
        "weight_bytes": network.parameters * BYTES_A_NUMBER,
        "activation_bytes": network.activations * BYTES_A_NUMBER,
        "multiply_adds": network.multiply_adds,
    }
