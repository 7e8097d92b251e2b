"""Gauges for Prometheus, straight from SQL, for administrators' tokens."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from api.auth import require_admin
from api.openapi import describe
from api.yard import the_yard
from records.queue import broker_is_up
from records.reading import count_jobs, count_workers, show_devices

gauges = APIBlueprint("gauges", __name__)


@gauges.get("/metrics")
@describe(gauges, reply="text/plain", errors=(403,))
def show_gauges() -> Response:
    """Gauges of the yard in Prometheus's text format, for administrators"""
    require_admin()
    yard, registry = the_yard(), CollectorRegistry()
    with yard.database.read() as session:
        jobs, workers, devices = count_jobs(session), count_workers(session), show_devices(session)
    by_status = Gauge("trainyard_jobs", "Jobs at each status", ["status"], registry=registry)
    for status, count in jobs.items():
        by_status.labels(status).set(count)
    _set(registry, "trainyard_workers", "Workers that are not offline", workers)
    _set(registry, "trainyard_devices", "Devices of those workers", len(devices))
    _set(registry, "trainyard_devices_busy", "Devices that a job holds", sum(d.job_id is not None for d in devices))
    _set(registry, "trainyard_broker_up", "Whether the broker answers", broker_is_up(yard.settings))
    _set(registry, "trainyard_blob_free_bytes", "Room left for stored files", yard.blobs.free_bytes())
    _set(registry, "trainyard_streams_open", "Event streams that this process serves", yard.streams.taken)
    _set(registry, "trainyard_predict_waits", "Requests of this process that wait for a prediction", yard.waits.taken)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _set(registry: CollectorRegistry, name: str, text: str, value: float) -> None:
    Gauge(name, text, registry=registry).set(value)
