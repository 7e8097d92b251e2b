"""The networks that have a name, and what any network is and costs."""

from __future__ import annotations

from functools import cache
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from api import views
from api.asking import DescribeQuery, read_query
from api.bodies import read_json
from api.describing import DescribeRequest, ask_network
from api.drawings import SVG, drawing_reply
from api.openapi import describe
from api.replies import JSON, json_reply, list_reply
from api.routes import PREFIX
from api.visible import viewer
from api.yard import the_yard
from ml.networks import NETWORKS, describe_network, make_network
from records.errors import NotFound, near_matches, shorten
from records.lookup import YardLibrary
from records.specs import parse_as
from records.weights import Weights, weights_of

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


@networks.post("/networks/describe")
@describe(
    networks,
    reply=views.NetworkDescription,
    query=DescribeQuery,
    body="DescribeRequest",
    errors=(400, 413, 415, 422),
    other_media_types=(SVG,),
    scope="read",
)
def describe_any_network() -> Response:
    """Describe a network layer by layer

    By name with options, or by layers of one's own: shapes, parameters, memory, multiply-adds, what each layer sees of
    the image. With `format=svg`, or where the request accepts `image/svg+xml` before JSON, a drawing of it.
    """
    query = read_query(DescribeQuery)
    asked = parse_as(DescribeRequest, read_json()[1])
    with the_yard().database.read() as session:
        network = ask_network(asked, YardLibrary(session, viewer()))
    preferred = request.accept_mimetypes.best_match([JSON, SVG], default=JSON)
    if query.format == "svg" or (query.format is None and preferred == SVG):
        return drawing_reply(network)
    return json_reply(describe_network(network), headers={"Vary": "Accept"})


@cache
def _shape(name: str) -> dict[str, Any]:
    network = NETWORKS[name]
    made = make_network(name, network.input_shape, network.classes, {}).main
    return {
        "name": name,
        "title": network.title,
        "paper": network.paper,
        "options": network.describe_options(),
        "input_shape": list(network.input_shape),
        "classes": network.classes,
        "parameters": made.parameters,
        "multiply_adds": made.multiply_adds,
        "weights": [_weights_shape(weights) for weights in weights_of(name)],
    }


def _weights_shape(weights: Weights) -> dict[str, Any]:
    return {
        "name": weights.name,
        "title": weights.title,
        "options": dict(weights.options),
        "input_shape": [weights.side_px, weights.side_px, 3],
        "classes": weights.classes,
        "file": weights.file,
        "size_bytes": weights.size_bytes,
        "digest": weights.digest,
        "licence": weights.licence,
        "source": weights.source,
    }
