"""The SQL tables. Rows are the truth; Celery's messages are only bells.

Statuses are those of `records.states`; times are UTC with their zone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcTime(TypeDecorator[datetime]):
    """A time with its zone. SQLite forgets zones, so UTC is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse times without a zone: they would mean something else on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a time with its zone, got {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC, whatever the database gave."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PlainText(TypeDecorator[str]):
    """Text from a child or a person. PostgreSQL takes no NUL and no half of a surrogate pair: both are replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What every database can hold."""
        if value is None:
            return None
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


class TagList(TypeDecorator[tuple[str, ...]]):
    """Tags in one text, a space before, between and behind them, so that ` good ` finds one; NULL for none."""

    impl = String(1100)
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """As one text."""
        return f" {' '.join(value)} " if value else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        """One by one again."""
        return tuple(value.split()) if value else ()


class Table(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcTime(), dict[str, Any]: JSON(), list[Any]: JSON()}


class UserTable(Table):
    """A person."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    """`admin` or `member`."""
    created_at: Mapped[datetime]
    password_hash: Mapped[str | None] = mapped_column(String(300))
    """As `records.passwords` makes it; NULL for who has none and logs in with a token."""
    deactivated_at: Mapped[datetime | None]
    """Since then nobody gets in as this person; what belongs to them stays."""


class TeamTable(Table):
    """A group of people who share things."""

    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    created_at: Mapped[datetime]


class TeamMemberTable(Table):
    """Who is in a team."""

    __tablename__ = "team_members"
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    added_at: Mapped[datetime]


class Shared:
    """Columns of what belongs to somebody and may be shown to others; `records.access` decides by them."""

    visibility: Mapped[str] = mapped_column(String(10), default="private", server_default="private")
    """`private`, `team` or `public`."""
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"), index=True)
    """Whose members see it, where it is a team's."""


class TokenTable(Table):
    """A secret that stands for a person. Only its SHA-256 is kept."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[str] = mapped_column(String(10), default="full", server_default="full")
    """How far it goes, as in `records.scopes`."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class WorkerTable(Table):
    """One life of a worker's parent process."""

    __tablename__ = "workers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    """Stays the same when the worker starts again; `queue` follows from it."""
    queue: Mapped[str] = mapped_column(String(250))
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    version: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(20))
    """`online`, `draining` or `offline`."""
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class DeviceTable(Table):
    """A GPU or the CPU of a worker's machine."""

    __tablename__ = "devices"
    __table_args__ = (UniqueConstraint("worker_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    worker_id: Mapped[int] = mapped_column(ForeignKey("workers.id"))
    name: Mapped[str] = mapped_column(String(50))
    """`cpu:0`, `gpu:0` …"""
    kind: Mapped[str] = mapped_column(String(10))
    number: Mapped[int]
    """Position among the machine's devices of this kind."""
    model: Mapped[str] = mapped_column(String(200))
    memory_bytes: Mapped[int] = mapped_column(BigInteger)
    threads: Mapped[int]
    slots: Mapped[int]
    """Attempts that may hold a part of it at a time."""
    taken_bytes: Mapped[int] = mapped_column(BigInteger)
    """Memory that programs outside the yard held when its worker last looked."""
    takers: Mapped[list[Any]]
    """Those programs, as far as they could be told: process id, name and bytes of each."""


class JobTable(Shared, Table):
    """One order. Only `records.jobs.move` writes `status`."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_queue", "status", "priority", "rank", "id"),
        Index("ix_jobs_status_id", "status", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(200))
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    spec: Mapped[dict[str, Any]]
    parameters: Mapped[int] = mapped_column(BigInteger)
    """Parameters of the network, known before it ran; 0 where there is none."""
    estimate: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What it was thought to cost when it was submitted (`ml.estimates`), uncorrected; NULL where nobody can tell."""
    status: Mapped[str] = mapped_column(String(20))
    reason_code: Mapped[str | None] = mapped_column(String(50))
    """Why the job waits, failed or was cancelled: a stable code."""
    reason_text: Mapped[str | None] = mapped_column(PlainText)
    priority: Mapped[int]
    rank: Mapped[float] = mapped_column(Float)
    """Of two waiting jobs of one priority the one with the lower number goes first; the scheduler writes it."""
    demand: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """By kind of device what it was thought to take when it was submitted; NULL for a whole device."""
    cpu_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """Memory that it asks of a CPU device, corrected by what was measured since; NULL for a whole one."""
    gpu_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """The same for a GPU."""
    outgrown_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """The most that an attempt was lent and that did not do."""
    threads: Mapped[int | None]
    """Processor threads that it asks of a CPU device, NULL for all; once it has run, as many as it had."""
    likeness: Mapped[str | None] = mapped_column(String(64), index=True)
    """The same for jobs that take as much memory and time a step: what one measured tells of the others."""
    lasts_from_s: Mapped[float | None] = mapped_column(Float)
    """How long an attempt is expected to take at least, in seconds; NULL where nobody can tell."""
    lasts_s: Mapped[float | None] = mapped_column(Float)
    lasts_until_s: Mapped[float | None] = mapped_column(Float)
    starts_from: Mapped[datetime | None]
    """While it waits: when it is expected to start at the earliest."""
    starts_at: Mapped[datetime | None]
    starts_until: Mapped[datetime | None]
    thrift: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """How the next attempt saves memory (`records.thrift.Thrift`); NULL to follow the spec."""
    retries_left: Mapped[int]
    not_before: Mapped[datetime | None]
    """A queued job is not placed earlier than this."""
    cancel_requested_at: Mapped[datetime | None]
    """A request to cancel is a flag; the status changes when the work has stopped."""
    progress: Mapped[float] = mapped_column(Float)
    """0 to 1."""
    live: Mapped[dict[str, Any]]
    """What a running job last said of itself: stage, epoch, step, images a second, time left, values."""
    version: Mapped[int] = mapped_column(Integer)
    """Grows with every change of the row; the ETag is made from it."""
    note: Mapped[str | None] = mapped_column(PlainText)
    """What a person wrote on it."""
    tags: Mapped[tuple[str, ...]] = mapped_column(TagList, nullable=True, default=())
    edits: Mapped[int] = mapped_column(default=0, server_default="0")
    """Grows with every change that a person makes to name, note or tags, and with nothing else."""
    cloned_from: Mapped[int | None]
    """The job whose spec this one began with."""
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class IdempotencyKeyTable(Table):
    """A key that a person sent with a job, so that sending again does not make a second one."""

    __tablename__ = "idempotency_keys"
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    body_sha256: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    created_at: Mapped[datetime]


class AttemptTable(Table):
    """One worker's try at a job. Its id is the fencing token of every write that it makes."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("job_id", "number"),
        Index("uq_attempts_one_open", "job_id", unique=True, sqlite_where=text("status IN ('placed', 'running')"),
              postgresql_where=text("status IN ('placed', 'running')")),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    number: Mapped[int]
    """1 for the first try."""
    status: Mapped[str] = mapped_column(String(20))
    worker_id: Mapped[int] = mapped_column(ForeignKey("workers.id"), index=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    pid: Mapped[int | None]
    """Process id of the child, on the worker's machine."""
    reason_code: Mapped[str | None] = mapped_column(String(50))
    reason_text: Mapped[str | None] = mapped_column(PlainText)
    memory_bytes: Mapped[int] = mapped_column(BigInteger)
    """Lent to it; the hard limit of what its child may hold."""
    threads: Mapped[int]
    """Processor threads that its child may use."""
    share: Mapped[float] = mapped_column(Float)
    """Part of its device that it holds, 0 to 1, by memory or by threads, whichever is more."""
    placed_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    first_step_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    preempted_at: Mapped[datetime | None]
    """When it was asked to make room for a job of higher priority."""
    peak_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """The most that the framework's allocator had in use on the device, as the child measured it."""
    resident_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """The most main memory that the child held, above what it held before its first operation."""
    thrift: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """How it saves memory, as told to it; NULL where it follows the spec."""


class LeaseTable(Table):
    """The right of an open attempt to write and to use its device's memory, until it expires. Gone when it ends."""

    __tablename__ = "leases"
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    memory_bytes: Mapped[int] = mapped_column(BigInteger)
    """Those of one device never add up to more than it has: `records.attempts.place_attempt` guards it."""
    threads: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PromiseTable(Table):
    """When a waiting job was first told that it would start. Never changed: what came of it is in the job's row."""

    __tablename__ = "promises"
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    made_at: Mapped[datetime]
    starts_from: Mapped[datetime]
    starts_at: Mapped[datetime]
    starts_until: Mapped[datetime]


class RunTable(Table):
    """The scientific record of a job; it spans attempts."""

    __tablename__ = "runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), unique=True)
    facts: Mapped[dict[str, Any]]
    """Seed, versions, commit, device, dataset hash, durations."""
    summary: Mapped[dict[str, Any]]
    """The few numbers that sum the run up, such as `test/accuracy`."""
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class MetricTable(Table):
    """One value of one metric at one step. Written again, it is replaced."""

    __tablename__ = "metrics"
    __table_args__ = ({"sqlite_with_rowid": False},)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    step: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    value: Mapped[float | None] = mapped_column(Float)
    """NULL where it was not a finite number."""
    at: Mapped[datetime]


class ArtifactTable(Table):
    """A kept file; its bytes lie in the blob store under their SHA-256."""

    __tablename__ = "artifacts"
    __table_args__ = (UniqueConstraint("job_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(50))
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    step: Mapped[int | None] = mapped_column(BigInteger)
    """For checkpoints: optimizer steps done."""
    created_at: Mapped[datetime]


class JobEventTable(Table):
    """What happened to a job: who, when, from, to, why. Only ever added to."""

    __tablename__ = "job_events"
    __table_args__ = (Index("ix_job_events_job", "job_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(150))
    """`user:NAME`, `worker:NAME` or `yard`."""
    kind: Mapped[str] = mapped_column(String(50))
    """`moved`, `placed`, `cancel_requested`, `checkpoint`, `attempt_ended` …"""
    from_status: Mapped[str | None] = mapped_column(String(20))
    to_status: Mapped[str | None] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(String(50))
    text: Mapped[str] = mapped_column(PlainText)


class LogLineTable(Table):
    """A line that a job's child printed or reported."""

    __tablename__ = "log_lines"
    __table_args__ = (Index("ix_log_lines_job", "job_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    attempt_number: Mapped[int]
    at: Mapped[datetime]
    level: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(PlainText)


class MemoryLessonTable(Table):
    """What a training had to do without on a model of device, so that the next of its kind starts with that."""

    __tablename__ = "memory_lessons"
    training: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The same for trainings whose steps take as much memory: `records.lessons.training_key`."""
    device_kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    device_model: Mapped[str] = mapped_column(String(200), primary_key=True)
    memory_bytes: Mapped[int] = mapped_column(BigInteger)
    """The most that an attempt had and that did not do without."""
    thrift: Mapped[dict[str, Any]]
    """What did do (`records.thrift.Thrift`)."""
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    """Which found out last."""
    learned_at: Mapped[datetime]


class PredictionTable(Table):
    """A question to a trained model: what is on these images? Swept after a while."""

    __tablename__ = "predictions"
    # Rows go again; their ids must not come again and then mean something else.
    __table_args__ = (Index("ix_predictions_status", "status", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    """Who asks, which need not be the owner of the job."""
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    status: Mapped[str] = mapped_column(String(20))
    """`waiting`, `running`, `done` or `failed`."""
    options: Mapped[dict[str, Any]]
    """As in `records.questions.Options`."""
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """As in `records.questions.Result`."""
    reason_code: Mapped[str | None] = mapped_column(String(50))
    """Why it failed."""
    reason_text: Mapped[str | None] = mapped_column(PlainText)
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("workers.id"))
    """Whose it is, or was last."""
    claims: Mapped[int]
    """How often it was claimed; with `worker_id` the fencing token of its worker."""
    lease_until: Mapped[datetime | None]
    """A running one without a sign of life until then may be claimed again."""
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class PredictionImageTable(Table):
    """An image of a prediction that has no answer yet; its bytes lie in the blob store as they came."""

    __tablename__ = "prediction_images"
    prediction_id: Mapped[int] = mapped_column(ForeignKey("predictions.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """From 0, in the order in which they came."""
    name: Mapped[str] = mapped_column(PlainText)
    sha256: Mapped[str] = mapped_column(String(64), index=True)


class DatasetTable(Table):
    """A dataset of the catalogue that a worker of this yard has fetched and verified."""

    __tablename__ = "datasets"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(300))
    """Which source delivered the bytes."""
    sheet_sha256: Mapped[str | None] = mapped_column(String(64))
    """Blob of the sample sheet, a PNG."""
    fetched_at: Mapped[datetime]


class YardTable(Table):
    """Single facts about the yard itself, such as when its last sweep ended."""

    __tablename__ = "yard"
    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
