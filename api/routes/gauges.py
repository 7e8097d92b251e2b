"""Numbers for Prometheus, for administrators and for whoever has the token that is for this alone."""

from __future__ import annotations

import hmac

from apiflask import APIBlueprint
from flask import Response, request
from prometheus_client import CONTENT_TYPE_LATEST

from api.auth import require_admin
from api.gauges import show
from api.latencies import latencies_of_app
from api.openapi import describe
from api.yard import the_yard

gauges = APIBlueprint("gauges", __name__)


@gauges.get("/metrics")
@describe(gauges, reply="text/plain", errors=(403,))
def show_gauges() -> Response:
    """Numbers of the yard in Prometheus's text format

    For administrators, and for `TRAINYARD_METRICS_TOKEN`, which opens nothing else.
    """
    yard = the_yard()
    if not _has_token_for_this():
        require_admin()
    return Response(show(yard, latencies_of_app()), content_type=CONTENT_TYPE_LATEST)


def _has_token_for_this() -> bool:
    token = the_yard().settings.metrics_token
    if token is None:
        return False
    came = request.headers.get("Authorization", "")
    return hmac.compare_digest(came.encode(), f"Bearer {token.get_secret_value()}".encode())
