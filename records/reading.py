"""What the HTTP door shows: rows joined as they are displayed, in as few statements as can be. Nothing here writes.

The statements are built once: a job is asked for thousands of times a second when many people watch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Text, and_, bindparam, case, func, or_, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from records.runs import Point
from records.states import JobStatus
from records.tables import (
    AttemptTable,
    DeviceTable,
    JobEventTable,
    JobTable,
    LeaseTable,
    MetricTable,
    PromiseTable,
    RunTable,
    UserTable,
    WorkerTable,
)

AnyRow = Row[*tuple[Any, ...]]


class JobStamp(NamedTuple):
    """What a job's ETag is made from, and who may see it."""

    owner_id: int
    status: str
    version: int
    place: int | None
    """Place in the queue, which moves without the row; None when it does not wait."""
    edits: int
    """Changes that people made to its name, note and tags."""


class LeaseRow(NamedTuple):
    """What one job holds of a device."""

    job_id: int
    owner_id: int
    memory_bytes: int
    threads: int
    since: datetime
    peak_bytes: int | None
    """What its child has measured so far."""


class DeviceRow(NamedTuple):
    """A device of a worker that is not offline, and who holds what of it."""

    device: DeviceTable
    worker: WorkerTable
    leases: tuple[LeaseRow, ...]

    @property
    def lent_bytes(self) -> int:
        """Memory that jobs hold, all together."""
        return sum(lease.memory_bytes for lease in self.leases)

    @property
    def free_bytes(self) -> int:
        """Memory that neither jobs nor programs outside the yard hold."""
        return max(0, self.device.memory_bytes - self.device.taken_bytes - self.lent_bytes)

    @property
    def free_threads(self) -> int:
        """Threads that no job holds; on a CPU device."""
        return max(0, self.device.threads - sum(lease.threads for lease in self.leases))


def job_stamp(session: Session, job_id: int) -> JobStamp | None:
    """The stamp of a job, None when there is none: one small statement."""
    row = session.execute(_STAMP, {"job_id": job_id}).one_or_none()
    return None if row is None else JobStamp(*row)


def read_job(session: Session, job_id: int) -> AnyRow | None:
    """A job's row with `owner` (a name), `summary` of its run and `place` in the queue."""
    return session.execute(_JOB, {"job_id": job_id}).one_or_none()


def stamp_of(row: AnyRow) -> JobStamp:
    """The stamp of a job, from the row that `read_job` gave."""
    return JobStamp(row.owner_id, row.status, row.version, row.place, row.edits)


def read_attempts(session: Session, job_ids: Sequence[int]) -> dict[int, list[AnyRow]]:
    """The attempts of jobs by job, in order, with the names of `worker` and `device`."""
    found: dict[int, list[AnyRow]] = defaultdict(list)
    if len(job_ids) == 1:  # SQLAlchemy writes a statement with a list anew each time
        found[job_ids[0]].extend(session.execute(_ATTEMPTS_OF_ONE, {"job_id": job_ids[0]}))
    elif job_ids:
        for row in session.execute(_ATTEMPTS, {"job_ids": list(job_ids)}):
            found[row.job_id].append(row)
    return found


def list_jobs(
    session: Session,
    *,
    owner_id: int | None = None,
    statuses: Iterable[str] = (),
    kind: str | None = None,
    name: str | None = None,
    tags: Iterable[str] = (),
    before: int | None = None,
    limit: int = 50,
) -> Sequence[AnyRow]:
    """Jobs as `read_job` gives them, the newest first.

    Args:
        session: for reading.
        owner_id: only this person's; None for everybody's.
        statuses: only these; none means all.
        kind: only this kind.
        name: only where the name contains this, in whichever case.
        tags: only those that have all of these.
        before: only ids below this.
        limit: at most so many.
    """
    query = _listed().order_by(JobTable.id.desc()).limit(limit)
    if owner_id is not None:
        query = query.where(JobTable.owner_id == owner_id)
    if chosen := list(statuses):
        query = query.where(JobTable.status.in_(chosen))
    if kind is not None:
        query = query.where(JobTable.kind == kind)
    if name:
        query = query.where(JobTable.name.icontains(name, autoescape=True))
    for tag in tags:
        query = query.where(type_coerce(JobTable.tags, Text).contains(f" {tag} ", autoescape=True))
    if before is not None:
        query = query.where(JobTable.id < before)
    return session.execute(query).all()


def list_queue(
    session: Session, *, owner_id: int | None = None, after: tuple[int, float, int] | None = None, limit: int = 200
) -> Sequence[AnyRow]:
    """Waiting jobs behind `after` = (priority, rank, id), the next first; `place` counts everybody's."""
    places = _places().subquery()
    query = (
        select(*_JOB_COLUMNS, *_PROMISE_COLUMNS, UserTable.name.label("owner"), places.c.place)
        .outerjoin(PromiseTable, PromiseTable.job_id == JobTable.id)
        .join(places, places.c.id == JobTable.id)
        .join(UserTable, UserTable.id == JobTable.owner_id)
        .order_by(places.c.place)
        .limit(limit)
    )
    if after is not None:
        priority, rank, job_id = after
        later = or_(JobTable.rank > rank, and_(JobTable.rank == rank, JobTable.id > job_id))
        query = query.where(or_(JobTable.priority < priority, and_(JobTable.priority == priority, later)))
    return session.execute(query if owner_id is None else query.where(JobTable.owner_id == owner_id)).all()


def read_events(session: Session, job_id: int, *, after: int = 0, limit: int = 200) -> Sequence[JobEventTable]:
    """What happened to a job, events with an id above `after`, the oldest first."""
    query = select(JobEventTable).where(JobEventTable.job_id == job_id, JobEventTable.id > after)
    return session.scalars(query.order_by(JobEventTable.id).limit(limit)).all()


def read_last_events(session: Session, job_id: int, *, limit: int) -> Sequence[JobEventTable]:
    """The newest events of a job, the oldest of them first."""
    query = select(JobEventTable).where(JobEventTable.job_id == job_id)
    return session.scalars(query.order_by(JobEventTable.id.desc()).limit(limit)).all()[::-1]


def event_time(session: Session, job_id: int, event_id: int) -> datetime | None:
    """When an event of this job happened."""
    return session.scalar(select(JobEventTable.at).where(JobEventTable.id == event_id, JobEventTable.job_id == job_id))


def read_metrics_page(
    session: Session,
    job_id: int,
    names: Sequence[str] = (),
    *,
    after: int | None = None,
    past: tuple[str, int] | None = None,
    limit: int = 10_000,
) -> list[Point]:
    """Points of a job by name and step: those with a step above `after`, behind the point `past` = (name, step)."""
    query = _POINTS.where(RunTable.job_id == job_id).order_by(MetricTable.name, MetricTable.step).limit(limit)
    if names:
        query = query.where(MetricTable.name.in_(list(names)))
    if after is not None:
        query = query.where(MetricTable.step > after)
    if past is not None:
        query = query.where(tuple_(MetricTable.name, MetricTable.step) > tuple_(*past))
    return [Point(*row) for row in session.execute(query)]


def read_metric_ends(session: Session, job_id: int) -> dict[str, int]:
    """The last step of each metric. Seeks from name to name in the index, however many points there are."""
    run_id = session.scalar(select(RunTable.id).where(RunTable.job_id == job_id))
    ends: dict[str, int] = {}
    name = ""
    while found := session.execute(_NEXT_NAME, {"run_id": run_id, "name": name}).one_or_none():
        name = found.name
        ends[name] = session.scalars(_LAST_STEP, {"run_id": run_id, "name": name}).one()
    return ends


def read_metric_tail(
    session: Session, job_id: int, name: str, *, after: int, since: datetime | None, limit: int
) -> list[Point]:
    """Points of one metric by step: those above `after` that were not written before `since`."""
    query = _POINTS.where(RunTable.job_id == job_id, MetricTable.name == name, MetricTable.step > after)
    if since is not None:
        query = query.where(MetricTable.at >= since)
    return [Point(*row) for row in session.execute(query.order_by(MetricTable.step).limit(limit))]


def show_devices(session: Session) -> list[DeviceRow]:
    """Every device of every worker that is not offline, with the jobs that hold a part of it."""
    rows = session.execute(
        select(DeviceTable, WorkerTable)
        .join(WorkerTable, WorkerTable.id == DeviceTable.worker_id)
        .where(WorkerTable.status != "offline")
        .order_by(WorkerTable.name, DeviceTable.name)
    ).all()
    leases = session.execute(
        select(
            LeaseTable.device_id,
            *(JobTable.id, JobTable.owner_id, LeaseTable.memory_bytes, LeaseTable.threads),
            *(AttemptTable.placed_at, AttemptTable.peak_bytes),
        )
        .join(AttemptTable, AttemptTable.id == LeaseTable.attempt_id)
        .join(JobTable, JobTable.id == AttemptTable.job_id)
        .order_by(LeaseTable.attempt_id)
    )
    held: dict[int, list[LeaseRow]] = defaultdict(list)
    for device_id, *lease in leases.all():
        held[device_id].append(LeaseRow._make(lease))
    return [DeviceRow(device, worker, tuple(held[device.id])) for device, worker in rows]


def count_jobs(session: Session, *, owner_id: int | None = None) -> dict[str, int]:
    """How many jobs stand at each status, of one person or of all."""
    counts = {status.value: 0 for status in JobStatus}
    query = select(JobTable.status, func.count()).group_by(JobTable.status)
    if owner_id is not None:
        query = query.where(JobTable.owner_id == owner_id)
    for status, count in session.execute(query):
        counts[status] = count
    return counts


def count_workers(session: Session) -> int:
    """How many workers are not offline."""
    return session.scalar(select(func.count()).where(WorkerTable.status != "offline")) or 0


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────


_JOBS, _RUNS, _USERS = JobTable.__table__, RunTable.__table__, UserTable.__table__
_TRIES, _WORKERS, _DEVICES = AttemptTable.__table__, WorkerTable.__table__, DeviceTable.__table__
_PROMISES = PromiseTable.__table__
# Over bare tables, as SQLAlchemy takes twice as long for a statement over mapped classes.


def _place_of_one() -> Any:
    """How many queued jobs go first, plus one, as the scheduler has ranked them; NULL for a job that does not wait."""
    ahead, this = _JOBS.alias(), _JOBS.c
    before = or_(ahead.c.rank < this.rank, and_(ahead.c.rank == this.rank, ahead.c.id < this.id))
    goes_first = or_(ahead.c.priority > this.priority, and_(ahead.c.priority == this.priority, before))
    count = select(func.count() + 1).where(ahead.c.status == JobStatus.QUEUED, goes_first)
    return case((this.status == JobStatus.QUEUED, count.correlate(_JOBS).scalar_subquery()), else_=None)


def _places() -> Any:
    """The place of every queued job, in one pass over the queue."""
    order = [JobTable.priority.desc(), JobTable.rank, JobTable.id]
    return select(JobTable.id, func.row_number().over(order_by=order).label("place")).where(
        JobTable.status == JobStatus.QUEUED
    )


def _listed() -> Any:
    places = _places().subquery()
    return (
        select(*_JOB_COLUMNS, *_PROMISE_COLUMNS, UserTable.name.label("owner"), RunTable.summary, places.c.place)
        .join(UserTable, UserTable.id == JobTable.owner_id)
        .outerjoin(RunTable, RunTable.job_id == JobTable.id)
        .outerjoin(PromiseTable, PromiseTable.job_id == JobTable.id)
        .outerjoin(places, places.c.id == JobTable.id)
    )


_JOB_COLUMNS = tuple(_JOBS.c)
_PROMISE_COLUMNS = (
    _PROMISES.c.made_at.label("promised_at"),
    _PROMISES.c.starts_from.label("promised_from"),
    _PROMISES.c.starts_at.label("promised_likely"),
    _PROMISES.c.starts_until.label("promised_until"),
)
_STAMP = select(_JOBS.c.owner_id, _JOBS.c.status, _JOBS.c.version, _place_of_one(), _JOBS.c.edits).where(
    _JOBS.c.id == bindparam("job_id")
)
_JOB = (
    select(
        *_JOB_COLUMNS,
        *_PROMISE_COLUMNS,
        _USERS.c.name.label("owner"),
        _RUNS.c.summary,
        _place_of_one().label("place"),
    )
    .select_from(
        _JOBS.join(_USERS, _USERS.c.id == _JOBS.c.owner_id)
        .outerjoin(_RUNS, _RUNS.c.job_id == _JOBS.c.id)
        .outerjoin(_PROMISES, _PROMISES.c.job_id == _JOBS.c.id)
    )
    .where(_JOBS.c.id == bindparam("job_id"))
)
_LISTED_ATTEMPTS = (
    select(*_TRIES.c, _WORKERS.c.name.label("worker"), _DEVICES.c.name.label("device"))
    .select_from(
        _TRIES.join(_WORKERS, _WORKERS.c.id == _TRIES.c.worker_id).join(_DEVICES, _DEVICES.c.id == _TRIES.c.device_id)
    )
    .order_by(_TRIES.c.job_id, _TRIES.c.number)
)
_ATTEMPTS = _LISTED_ATTEMPTS.where(_TRIES.c.job_id.in_(bindparam("job_ids", expanding=True)))
_ATTEMPTS_OF_ONE = _LISTED_ATTEMPTS.where(_TRIES.c.job_id == bindparam("job_id"))
_POINTS = select(MetricTable.name, MetricTable.step, MetricTable.value, MetricTable.at).join(
    RunTable, RunTable.id == MetricTable.run_id
)
_NEXT_NAME = (
    select(MetricTable.name)
    .where(MetricTable.run_id == bindparam("run_id"), MetricTable.name > bindparam("name"))
    .order_by(MetricTable.name)
    .limit(1)
)
_LAST_STEP = select(func.max(MetricTable.step)).where(
    MetricTable.run_id == bindparam("run_id"), MetricTable.name == bindparam("name")
)
