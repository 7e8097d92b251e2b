"""Rows into the shapes of `api.views`, as plain dicts: made by hand, as a job is shown thousands of times a second."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from records.catalogue import Dataset
from records.estimates import Measured
from records.past import PastJob
from records.promises import is_kept
from records.reading import AnyRow, DeviceRow, LeaseRow
from records.runs import Point
from records.tables import ArtifactTable, DatasetTable, JobEventTable, LogLineTable, PredictionTable
from records.thrift import Thrift
from records.usage_days import PersonUse


def job_shape(row: AnyRow, attempts: Iterable[AnyRow]) -> dict[str, Any]:
    """A `views.Job` from `records.reading.read_job`."""
    live = row.live
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "status": row.status,
        "reason": reason_shape(row),
        "progress": row.progress,
        "live": {
            "stage": live.get("stage"),
            "epoch": live.get("epoch"),
            "epochs": live.get("epochs"),
            "step": live.get("step"),
            "steps": live.get("steps"),
            "images_per_s": live.get("images_per_s"),
            "values": live.get("values") or {},
        },
        "time_left_s": live.get("time_left_s"),
        "attempts": [attempt_shape(attempt, row.spec) for attempt in attempts],
        "place_in_queue": row.place,
        "expected_start": start_shape(row),
        "promise": promise_shape(row),
        "needs": needs_shape(row),
        "spec": row.spec,
        "parameters": row.parameters,
        "estimate": row.estimate,
        "summary": row.summary or {},
        "owner": row.owner,
        "visibility": row.visibility,
        "team": row.team,
        "created_at": time_shape(row.created_at),
        "started_at": time_shape(row.started_at),
        "finished_at": time_shape(row.finished_at),
        "cancel_requested": row.cancel_requested_at is not None,
        "note": row.note,
        "tags": row.tags,
        "cloned_from": row.cloned_from,
    }


def attempt_shape(row: AnyRow, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A `views.Attempt` at a job of this spec."""
    return {
        "number": row.number,
        "status": row.status,
        "worker": row.worker,
        "device": row.device,
        "pid": row.pid,
        "placed_at": time_shape(row.placed_at),
        "started_at": time_shape(row.started_at),
        "first_step_at": time_shape(row.first_step_at),
        "finished_at": time_shape(row.finished_at),
        "memory_bytes": row.memory_bytes,
        "threads": row.threads,
        "peak_bytes": row.peak_bytes,
        "resident_bytes": row.resident_bytes,
        "thrift": thrift_shape(row.thrift, spec),
        "reason": reason_shape(row),
    }


def thrift_shape(told: Mapping[str, Any] | None, spec: Mapping[str, Any]) -> dict[str, Any] | None:
    """A `views.Thrift`; None for an attempt that follows the spec."""
    if told is None:
        return None
    thrift = Thrift(**told)
    return {**thrift.model_dump(), "text": thrift.words(int(spec["batch_size"]))}


def start_shape(row: AnyRow) -> dict[str, str | None] | None:
    """A `views.ExpectedStart` of a job that waits; None where nobody can tell, or it does not."""
    if row.place is None or row.starts_at is None:
        return None
    return {
        "from": time_shape(row.starts_from),
        "likely": time_shape(row.starts_at),
        "until": time_shape(row.starts_until),
    }


def promise_shape(row: AnyRow) -> dict[str, Any] | None:
    """A `views.Promise`, with what came of it; None for a job that never had to wait."""
    if row.promised_at is None:
        return None
    started = row.started_at
    return {
        "made_at": time_shape(row.promised_at),
        "from": time_shape(row.promised_from),
        "likely": time_shape(row.promised_likely),
        "until": time_shape(row.promised_until),
        "kept": None if started is None else is_kept(row.promised_from, row.promised_until, started),
    }


def needs_shape(row: AnyRow) -> dict[str, int | None]:
    """A `views.Needs`."""
    return {"cpu_bytes": row.cpu_bytes, "gpu_bytes": row.gpu_bytes, "threads": row.threads}


def reason_shape(row: Any) -> dict[str, str] | None:
    """A `views.Reason` from whatever row has one."""
    return None if row.reason_code is None else {"code": row.reason_code, "text": row.reason_text or ""}


def prediction_shape(row: PredictionTable) -> dict[str, Any]:
    """A `views.Prediction`."""
    result = row.result or {"classes": [], "images": []}
    return {
        "id": row.id,
        "job_id": row.job_id,
        "status": row.status,
        "reason": reason_shape(row),
        **row.options,
        **result,
        "seconds": (row.finished_at - row.created_at).total_seconds() if row.finished_at else None,
        "created_at": time_shape(row.created_at),
        "started_at": time_shape(row.started_at),
        "finished_at": time_shape(row.finished_at),
    }


def event_shape(row: JobEventTable) -> dict[str, Any]:
    """A `views.JobEvent`."""
    return {
        "id": row.id,
        "kind": row.kind,
        "at": time_shape(row.at),
        "actor": row.actor,
        "from_status": row.from_status,
        "to_status": row.to_status,
        "code": row.code,
        "text": row.text,
    }


def point_shape(point: Point) -> dict[str, Any]:
    """A `views.MetricPoint`."""
    return {"name": point.name, "step": point.step, "value": point.value, "at": time_shape(point.at)}


def line_shape(row: LogLineTable) -> dict[str, Any]:
    """A `views.LogLine`."""
    return {
        "id": row.id,
        "attempt": row.attempt_number,
        "at": time_shape(row.at),
        "level": row.level,
        "text": row.text,
    }


def artifact_shape(row: ArtifactTable) -> dict[str, Any]:
    """A `views.Artifact`."""
    return {
        "name": row.name,
        "kind": row.kind,
        "media_type": row.media_type,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "step": row.step,
        "created_at": time_shape(row.created_at),
    }


def dataset_shape(dataset: Dataset, row: DatasetTable | None) -> dict[str, Any]:
    """A `views.Dataset` of the catalogue; `row` is there once a worker has fetched it."""
    has_sheet = row is not None and row.sheet_sha256 is not None
    return {
        "ref": dataset.name,
        "name": dataset.name,
        "owner": None,
        "visibility": "public",
        "team": None,
        "title": dataset.title,
        "status": "ready",
        "version": None,
        "task": "classification",
        "classes": list(dataset.classes),
        "image_shape": list(dataset.image_shape),
        "channels": dataset.image_shape[-1],
        "counts": dataset.counts,
        "sha256": dataset.sha256,
        "licence": dataset.licence,
        "source": dataset.source,
        "fetched": None if row is None else {"source": row.source, "at": time_shape(row.fetched_at)},
        "sheet": f"/api/v1/datasets/{dataset.name}/sheet" if has_sheet else None,
        "created_at": None,
    }


def device_shape(row: DeviceRow, *, seen: Container[int]) -> dict[str, Any]:
    """A `views.Device`; `seen` are the jobs that one may see."""
    device, worker = row.device, row.worker
    return {
        "name": device.name,
        "kind": device.kind,
        "model": device.model,
        "memory_bytes": device.memory_bytes,
        "threads": device.threads,
        "worker": worker.name,
        "worker_status": worker.status,
        "seen_at": time_shape(worker.seen_at),
        "slots": device.slots,
        "taken_bytes": device.taken_bytes,
        "takers": device.takers,
        "lent_bytes": row.lent_bytes,
        "leases": [lease_shape(lease, seen=seen) for lease in row.leases],
    }


def lease_shape(lease: LeaseRow, *, seen: Container[int]) -> dict[str, Any]:
    """A `views.Lease`."""
    return {
        "job_id": lease.job_id if lease.job_id in seen else None,
        "memory_bytes": lease.memory_bytes,
        "threads": lease.threads,
        "since": time_shape(lease.since),
        "peak_bytes": lease.peak_bytes,
    }


def accuracy_shape(measured: Sequence[Measured]) -> dict[str, Any]:
    """A `views.Accuracy`."""
    sizes = [abs(row.error) for row in measured]
    return {
        "count": len(sizes),
        "mean_error": sum(sizes) / len(sizes) if sizes else None,
        "worst_error": max(sizes, default=None),
        "outside_range": sum(not row.in_range for row in measured),
        "items": [measured_shape(row) for row in measured],
    }


def measured_shape(row: Measured) -> dict[str, Any]:
    """A `views.MeasuredPeak`."""
    shown = row._asdict()
    del shown["owner_id"]
    return {**shown, "at": time_shape(row.at), "error": row.error, "in_range": row.in_range}


def waiting_shape(row: AnyRow) -> dict[str, Any]:
    """A `views.Waiting` from `records.reading.list_queue`."""
    return {
        "place": row.place,
        "job_id": row.id,
        "name": row.name,
        "kind": row.kind,
        "owner": row.owner,
        "priority": row.priority,
        "reason": reason_shape(row),
        "expected_start": start_shape(row),
        "promise": promise_shape(row),
        "needs": needs_shape(row),
        "created_at": time_shape(row.created_at),
    }


def use_shape(row: PersonUse) -> dict[str, Any]:
    """A `views.PersonUse`."""
    days = [{"day": day.isoformat(), "device_hours": hours} for day, hours in row.hours.items()]
    return {"person": row.name, "device_hours": row.total_hours, "days": days}


def past_shape(row: PastJob) -> dict[str, Any]:
    """A `views.PastJob`."""
    return {**row._asdict(), "submitted_at": time_shape(row.submitted_at)}


def time_shape(value: datetime | None) -> str | None:
    """A time in UTC as RFC 3339."""
    return None if value is None else value.isoformat()
