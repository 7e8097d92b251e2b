"""The networks that have a name."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.openapi import describe
from api.replies import json_reply, list_reply
from api.routes import PREFIX
from ml.networks import NETWORKS, make_network
from records.errors import NotFound, near_matches, shorten

networks = APIBlueprint("networks", __name__, url_prefix=PREFIX)


@networks.get("/networks")
@describe(networks, reply=views.page_of(views.Network))
def list_networks() -> Response:
    """List the networks by name"""
    return list_reply([_shape(name) for name in sorted(NETWORKS)])


@networks.get("/networks/<name>")
@describe(networks, reply=views.Network, errors=(404,))
def show_network(name: str) -> Response:
    """Show a network and its options"""
    if name not in NETWORKS:
        raise NotFound(f"No network is called {shorten(repr(name))}. {near_matches(name, list(NETWORKS))}")
    return json_reply(_shape(name))


def _shape(name: str) -> dict[str, Any]:
    network = NETWORKS[name]
    return {
        "name": name,
        "title": network.title,
        "paper": network.paper,
        "options": network.describe_options(),
        "input_shape": list(network.input_shape),
        "classes": network.classes,
        "parameters": make_network(name, network.input_shape, network.classes, {}).main.parameters,
    }
