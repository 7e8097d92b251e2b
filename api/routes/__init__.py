"""The addresses, one module a subject. Routers are thin: they ask `records`, and shape what comes back."""

from __future__ import annotations

from apiflask import APIBlueprint

PREFIX = "/api/v1"


def all_routes() -> list[APIBlueprint]:
    """Every blueprint of the JSON API."""
    from api.routes.aliases import aliases
    from api.routes.artifacts import artifacts
    from api.routes.comparing import comparing
    from api.routes.datasets import datasets
    from api.routes.devices import devices
    from api.routes.docs import docs
    from api.routes.edits import edits
    from api.routes.estimates import estimates
    from api.routes.gauges import gauges
    from api.routes.health import health
    from api.routes.history import history
    from api.routes.jobs import jobs
    from api.routes.me import me
    from api.routes.metrics import metrics
    from api.routes.models import models
    from api.routes.networks import networks
    from api.routes.pictures import pictures
    from api.routes.predictions import predictions
    from api.routes.queue import queue
    from api.routes.set_versions import set_versions
    from api.routes.specs import specs
    from api.routes.streams import streams
    from api.routes.uploads import uploads

    return [
        jobs, edits, comparing, history, metrics, artifacts, streams, predictions, models, aliases, estimates, datasets,
        set_versions, uploads, pictures, networks,
        devices, queue, specs, me, health, gauges, docs,
    ]  # fmt: skip
