"""The yard's numbers as Prometheus reads them. What is in the database comes straight from it, at every reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.latencies import BOUNDS_S, Latencies
from ml.estimates import FORM
from records import standing
from records.queue import broker_is_up
from records.reading import count_jobs, count_workers

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from api.yard import Yard


def show(yard: Yard, latencies: Latencies) -> bytes:
    """All numbers in Prometheus's text format."""
    registry = CollectorRegistry()
    with yard.database.read() as session:
        registry.register(_Found([*_jobs(yard, session), *_devices(session), *_estimates(session)]))
    registry.register(_Found([*_parts(yard), _latencies(latencies)]))
    return generate_latest(registry)


class _Found(Collector):
    """Metrics that were collected already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _jobs(yard: Yard, session: Session) -> Iterator[Metric]:
    at = yard.clock()
    statuses = _family("trainyard_jobs", "Jobs at each status", "status")
    for status, count in count_jobs(session).items():
        statuses.add_metric([status], count)
    waiting = _family("trainyard_jobs_waiting", "Waiting jobs by the code of their reason", "reason")
    oldest = _family("trainyard_oldest_wait_seconds", "Age of the job that waits longest, by reason", "reason")
    for row in standing.list_waiting(session, at=at):
        waiting.add_metric([row.reason], row.jobs)
        oldest.add_metric([row.reason], row.oldest_s)
    waits = standing.recent_waits(session, at=at)
    waited = _family("trainyard_recent_wait_seconds", "From submit to start, jobs begun within an hour", "quantile")
    for share, seconds in standing.quantiles(waits).items():
        waited.add_metric([str(share)], seconds)
    outcomes = _family("trainyard_attempts", "Attempts by how they stand and why", "status", "reason")
    for outcome in standing.count_outcomes(session):
        outcomes.add_metric([outcome.status, outcome.code], outcome.attempts)
    yield from (statuses, waiting, oldest, waited, outcomes)
    yield _gauge("trainyard_recent_starts", "Jobs begun within an hour", len(waits))
    swept = standing.last_sweep(session)
    if swept is not None:
        yield _gauge("trainyard_last_sweep_timestamp_seconds", "When a worker last swept well", swept.timestamp())


def _devices(session: Session) -> Iterator[Metric]:
    labels = "worker", "device", "kind"
    there = _family("trainyard_device_memory_bytes", "Memory of each device", *labels)
    lent = _family("trainyard_device_lent_bytes", "Memory lent to attempts", *labels)
    used = _family("trainyard_device_used_bytes", "Peaks that its open attempts have measured so far", *labels)
    taken = _family("trainyard_device_taken_bytes", "Memory that programs outside the yard hold", *labels)
    leases = _family("trainyard_device_leases", "Attempts that hold the device", *labels)
    rows = standing.list_memory(session)
    for row in rows:
        place = [row.worker, row.device, row.kind]
        for family, value in (
            (there, row.memory_bytes),
            (lent, row.lent_bytes),
            (used, row.used_bytes),
            (taken, row.taken_bytes),
        ):
            family.add_metric(place, value)
        leases.add_metric(place, row.leases)
    yield from (there, lent, used, taken, leases)
    yield _gauge("trainyard_workers", "Workers that are not offline", count_workers(session))
    yield _gauge("trainyard_devices", "Devices of those workers", len(rows))
    yield _gauge("trainyard_devices_busy", "Devices that a job holds", sum(row.leases > 0 for row in rows))


def _estimates(session: Session) -> Iterator[Metric]:
    ratio = _family("trainyard_peak_ratio", "Estimated peak over measured, newest attempts", "kind", "quantile")
    measured = _family("trainyard_peaks_measured", "Attempts that the ratio is made from", "kind")
    in_range = _family("trainyard_peaks_in_range", "Of those, measured peaks in the range that was told", "kind")
    for row in standing.list_rightness(session, form=FORM):
        for share, value in row.ratios.items():
            ratio.add_metric([row.kind, str(share)], value)
        measured.add_metric([row.kind], row.attempts)
        in_range.add_metric([row.kind], row.in_range)
    yield from (ratio, measured, in_range)


def _parts(yard: Yard) -> Iterator[Metric]:
    yield _gauge("trainyard_broker_up", "Whether the broker answers", broker_is_up(yard.settings))
    yield _gauge("trainyard_blob_free_bytes", "Room left for stored files", yard.blobs.free_bytes())
    yield _gauge("trainyard_streams_open", "Event streams that this process serves", yard.streams.taken)
    yield _gauge("trainyard_predict_waits", "Requests of this process that wait for a prediction", yard.waits.taken)


def _latencies(latencies: Latencies) -> Metric:
    text = "Time until a reply began, by endpoint and class of status"
    family = HistogramMetricFamily("trainyard_http_seconds", text, labels=["endpoint", "status"])
    for row in latencies.rows():
        total, buckets = 0, []
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), row.counts, strict=True):
            total += count
            buckets.append((bound, total))
        family.add_metric([row.endpoint, row.status], buckets, sum_value=row.seconds)
    return family


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
