"""Drawings of networks as replies: pictures that may run nothing and load nothing, whatever names are in them."""

from __future__ import annotations

from flask import Response

from ml.networks import Network, draw_svg, style_hash

SVG = "image/svg+xml"


def drawing_reply(network: Network) -> Response:
    """The drawing of a network; its own style is all that it may use."""
    policy = f"default-src 'none'; style-src {style_hash()}; frame-ancestors 'none'; sandbox"
    headers = {
        "Content-Security-Policy": policy,
        "Content-Disposition": f'inline; filename="{network.name}.svg"',
        "Vary": "Accept",
    }
    return Response(draw_svg(network), headers=headers, content_type=SVG)
