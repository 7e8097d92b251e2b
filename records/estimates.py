"""What finished attempts measured, beside what was estimated: corrections, errors, and how long an epoch takes.

Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from records.access import EVERYTHING, Viewer, seen_by
from records.states import JobStatus
from records.tables import AttemptTable, DeviceTable, JobTable, RunTable
from records.thrift import Thrift

LOOKED_AT = 100
"""The newest jobs that are looked at."""
LEAST_FACTOR, MOST_FACTOR = 0.5, 2.0
"""A measured job moves an estimate no further than this."""


class Measured(NamedTuple):
    """One attempt's peak, estimated and measured, in bytes of the framework's allocator."""

    job_id: int
    attempt: int
    owner_id: int
    network: str
    dataset: str
    batch_size: int
    optimizer: str
    device_kind: str
    device_model: str
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    measured_bytes: int
    resident_bytes: int | None
    at: datetime

    @property
    def error(self) -> float:
        """Share by which the estimate was too high; negative when it was too low."""
        return self.likely_bytes / self.measured_bytes - 1

    @property
    def in_range(self) -> bool:
        """Whether the measured peak lies in the range."""
        return self.low_bytes <= self.measured_bytes <= self.high_bytes


class Correction(NamedTuple):
    """What similar jobs say that an estimate must be multiplied by."""

    factor: float
    jobs: int


_DECIDING = ("network", "base", "image_size", "crop_size", "unfreeze_from", "train_norms")
"""Fields of a spec that say which layers learn, and from how large images."""


class Pace(NamedTuple):
    """Seconds an epoch on a device of one model, from past runs."""

    device_model: str
    epoch_s: float
    jobs: int


def list_measured(session: Session, *, form: int, viewer: Viewer = EVERYTHING, limit: int = 200) -> list[Measured]:
    """The newest attempts with an estimate of this form and a measured peak, of jobs that somebody may see."""
    query = _measured().where(JobTable.estimate["form"].as_integer() == form, seen_by(viewer, JobTable))
    return list(_rows(session, query.limit(limit)))


def find_corrections(session: Session, spec: dict[str, Any], *, form: int) -> dict[str, Correction]:
    """By kind of device, the median of measured ÷ estimated over jobs that train the same network in the same way.

    The same network with the same options on images of the same dataset, by the same optimizer. The batch may differ:
    each measured peak is compared with the estimate for its own batch.

    Args:
        session: for reading.
        spec: one that trains, as plain data.
        form: of the estimates to look at (`ml.estimates.estimate.FORM`).
    """
    query = _measured().where(*_same_training(spec)).limit(LOOKED_AT)
    ratios: dict[str, dict[int, float]] = {}
    for row in session.execute(query):
        alike = _optimizer_name(row.spec) == _optimizer_name(spec)
        if alike and row.estimate.get("form") == form and _learns_the_same(row.spec, spec):
            found = _measured_row(row)
            if found is not None:
                ratios.setdefault(found.device_kind, {})[found.job_id] = found.measured_bytes / found.likely_bytes
    return {
        kind: Correction(min(MOST_FACTOR, max(LEAST_FACTOR, median(jobs.values()))), len(jobs))
        for kind, jobs in ratios.items()
    }


def find_paces(session: Session, spec: dict[str, Any], *, steps_per_epoch: int) -> list[Pace]:
    """Seconds an epoch of this spec would take, by model of device, from runs of the same network, data and batch."""
    query = (
        select(JobTable.id, JobTable.spec, RunTable.facts, RunTable.summary, JobTable.estimate, DeviceTable.model)
        .join(RunTable, RunTable.job_id == JobTable.id)
        .join(AttemptTable, AttemptTable.job_id == JobTable.id)
        .join(DeviceTable, DeviceTable.id == AttemptTable.device_id)
        .where(JobTable.status == JobStatus.SUCCEEDED, AttemptTable.status == "succeeded", *_same_training(spec))
        .where(AttemptTable.thrift.is_(None))
        .order_by(JobTable.id.desc())
        .limit(LOOKED_AT)
    )
    steps: dict[str, list[float]] = {}
    for row in session.execute(query):
        if row.spec.get("batch_size") == spec.get("batch_size") and _learns_the_same(row.spec, spec):
            step_s = _step_s(row)
            if step_s is not None:
                steps.setdefault(row.model, []).append(step_s)
    return [Pace(model, median(found) * steps_per_epoch, len(found)) for model, found in sorted(steps.items())]


def find_paces_by_work(session: Session, kind: str, *, work: int, alike: Mapping[str, Any]) -> list[Pace]:
    """Seconds that a job of this kind would take, by model of device, from the multiply-adds a second of past ones.

    Args:
        session: for reading.
        kind: of the job.
        work: its multiply-adds; runs tell theirs as the fact `multiply_adds`.
        alike: fields in which the others' specs must be as this one's.
    """
    query = (
        select(JobTable.spec, RunTable.facts, DeviceTable.model)
        .join(RunTable, RunTable.job_id == JobTable.id)
        .join(AttemptTable, AttemptTable.job_id == JobTable.id)
        .join(DeviceTable, DeviceTable.id == AttemptTable.device_id)
        .where(JobTable.kind == kind, JobTable.status == JobStatus.SUCCEEDED, AttemptTable.status == "succeeded")
        .order_by(JobTable.id.desc())
        .limit(LOOKED_AT)
    )
    found: dict[str, list[float]] = {}
    for row in session.execute(query):
        seconds, done = row.facts.get("steps_s"), row.facts.get("multiply_adds")
        if seconds and done and all(row.spec.get(name) == value for name, value in alike.items()):
            found.setdefault(row.model, []).append(float(seconds) / float(done))
    return [Pace(model, median(paces) * work, len(paces)) for model, paces in sorted(found.items())]


def _step_s(row: Row[Any]) -> float | None:
    """Seconds a step of a finished run."""
    seconds, epochs = row.facts.get("steps_s"), row.summary.get("epochs")
    per_epoch = (row.estimate or {}).get("steps_per_epoch")
    if not seconds or not epochs or not per_epoch:
        return None
    return float(seconds) / (int(epochs) * int(per_epoch))


def _measured() -> Select[Any]:
    return (
        select(
            JobTable.id,
            JobTable.owner_id,
            JobTable.spec,
            JobTable.estimate,
            AttemptTable.number,
            AttemptTable.peak_bytes,
            AttemptTable.resident_bytes,
            AttemptTable.finished_at,
            AttemptTable.placed_at,
            DeviceTable.kind.label("device_kind"),
            DeviceTable.model.label("device_model"),
        )
        .join(AttemptTable, AttemptTable.job_id == JobTable.id)
        .join(DeviceTable, DeviceTable.id == AttemptTable.device_id)
        .where(
            AttemptTable.peak_bytes.is_not(None),
            JobTable.estimate.is_not(None),
            AttemptTable.thrift.is_(None),  # else it did without what the estimate counts
        )
        .order_by(AttemptTable.id.desc())
    )


def _same_training(spec: dict[str, Any]) -> list[Any]:
    same = [JobTable.kind == spec["kind"], JobTable.spec["dataset"].as_string() == spec["dataset"]]
    if "network" in spec:
        # Layers of one's own have no name: NULL on both sides; the whole networks are compared once they are read.
        same.append(JobTable.spec["network"]["name"].as_string() == spec["network"].get("name"))
    return same


def _learns_the_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two specs train the same layers of the same network in the same way, on images of the same size."""
    same_layers = all(one.get(name) == other.get(name) for name in _DECIDING)
    return same_layers and _computing(one) == _computing(other)


def _computing(spec: dict[str, Any]) -> Thrift:
    return Thrift.of(spec).model_copy(update={"micro_batch": None})


def _network_name(spec: dict[str, Any]) -> str:
    if "features" in spec:
        return str(spec["features"])
    base = spec.get("base", {})
    if base:
        return str(base.get("pretrained") or f"job {base.get('job')}")
    return spec.get("network", {}).get("name") or "own layers"


def _rows(session: Session, query: Select[Any]) -> Iterator[Measured]:
    for row in session.execute(query):
        found = _measured_row(row)
        if found is not None:
            yield found


def _optimizer_name(spec: Mapping[str, Any]) -> str:
    """Trainings have an optimizer with settings, a style transfer the name alone."""
    told = spec.get("optimizer", "")
    return str(told.get("name", "") if isinstance(told, Mapping) else told)


def _measured_row(row: Row[Any]) -> Measured | None:
    peak = row.estimate.get("peak", {}).get(row.device_kind)
    if not peak or not row.peak_bytes:
        return None
    return Measured(
        job_id=row.id,
        attempt=row.number,
        owner_id=row.owner_id,
        network=_network_name(row.spec),
        dataset=row.spec.get("dataset", ""),
        batch_size=row.spec.get("batch_size", 0),
        optimizer=_optimizer_name(row.spec),
        device_kind=row.device_kind,
        device_model=row.device_model,
        low_bytes=peak["low_bytes"],
        likely_bytes=peak["likely_bytes"],
        high_bytes=peak["high_bytes"],
        measured_bytes=row.peak_bytes,
        resident_bytes=row.resident_bytes,
        at=row.finished_at or row.placed_at,
    )
