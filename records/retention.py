"""What may go: the one place that decides which jobs lose their files, by age and by size.

A job keeps its record (spec, metrics, events) for ever; its files and its log may go. They never go while
- the job is not finished, or has the tag `keep`,
- a version of a registered model stands for it,
- a job that is not finished builds on it.
Datasets, registered versions and uploads have lives of their own and are not touched.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Text, delete, or_, select, type_coerce
from sqlalchemy.orm import Session

from records.database import lock_pass
from records.dropped import drop, unnamed
from records.jobs import add_event, change, lock_job
from records.model_tables import ModelFileTable, ModelVersionTable
from records.settings import Settings
from records.states import FINISHED
from records.tables import ArtifactTable, JobTable, LogLineTable, UserTable
from records.yard import note_time, read_time

KEEP = "keep"
"""The tag that keeps a job's files."""
_LAST = "last_retention"
_EVERY = timedelta(hours=1)
_AT_ONCE = 20
"""Jobs whose files go in one transaction, which others wait for."""


@dataclass(frozen=True)
class Policy:
    """How long files of jobs are kept; None sets no limit."""

    days: int | None = None
    most_bytes: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """As the settings say."""
        return cls(settings.retention_days or None, settings.retention_bytes or None)


class Expendable(NamedTuple):
    """A job whose files may go."""

    job_id: int
    name: str
    owner: str
    finished_at: datetime
    files: int
    size_bytes: int
    """Of its files; those that others name too take no less room afterwards."""
    why: str
    """`age` or `size`."""


class _File(NamedTuple):
    job_id: int
    sha256: str
    size_bytes: int


def find_expendable(session: Session, policy: Policy, *, at: datetime) -> list[Expendable]:
    """The jobs whose files should go, the one that ended first first. Writes nothing."""
    if policy == Policy():
        return []
    files: dict[int, list[_File]] = defaultdict(list)
    for file in _files(session):
        files[file.job_id].append(file)
    oldest = None if policy.days is None else at - timedelta(days=policy.days)
    room = _Room(files, set(session.scalars(select(ModelFileTable.sha256))))
    found = []
    for row in _finished(session, _builds_on(session)):
        mine = files.get(row.id, [])
        too_old = oldest is not None and row.finished_at < oldest
        too_much = policy.most_bytes is not None and room.taken_bytes > policy.most_bytes
        if mine and (too_old or too_much):
            room.give_up(mine)
            size = sum(file.size_bytes for file in mine)
            why = "age" if too_old else "size"
            found.append(Expendable(row.id, row.name, row.owner, row.finished_at, len(mine), size, why))
    return found


def remove_files(session: Session, found: Sequence[Expendable], *, at: datetime) -> None:
    """Remove the files and logs of these jobs, but of those that began to be needed since they were found."""
    if not found:
        return
    lock_pass(session, "schedule")  # several jobs are locked
    builds_on = _builds_on(session)
    for each in found:
        job = lock_job(session, each.job_id)
        if job.status in FINISHED and job.finished_at == each.finished_at and each.job_id not in builds_on:
            _remove(session, each, at=at)


def retain_if_due(session: Session, policy: Policy, *, at: datetime) -> None:
    """Do it once an hour, in whichever worker comes first."""
    if policy == Policy():
        return
    lock_pass(session, "retention")
    last = read_time(session, _LAST)
    if last is not None and last > at - _EVERY:
        return
    found = find_expendable(session, policy, at=at)
    remove_files(session, found[:_AT_ONCE], at=at)
    if len(found) <= _AT_ONCE:  # else there are more the next time
        note_time(session, _LAST, at)


class _Room:
    """The room that files of jobs take, each content once."""

    def __init__(self, files: dict[int, list[_File]], kept: set[str]) -> None:
        every = [file for some in files.values() for file in some]
        self._users = Counter(file.sha256 for file in every) + Counter(kept)
        self.taken_bytes = sum({file.sha256: file.size_bytes for file in every}.values())

    def give_up(self, files: list[_File]) -> None:
        for file in files:
            self._users[file.sha256] -= 1
            if self._users[file.sha256] == 0:
                self.taken_bytes -= file.size_bytes


def _files(session: Session) -> Iterator[_File]:
    query = select(ArtifactTable.job_id, ArtifactTable.sha256, ArtifactTable.size_bytes)
    return (_File(*row) for row in session.execute(query))


def _finished(session: Session, builds_on: set[int]) -> Iterator[Any]:
    """Finished jobs whose files may go, the one that ended first first."""
    tags = type_coerce(JobTable.tags, Text)
    query = (
        select(JobTable.id, JobTable.name, JobTable.finished_at, UserTable.name.label("owner"))
        .join(UserTable, UserTable.id == JobTable.owner_id)
        .where(JobTable.status.in_(FINISHED), JobTable.finished_at.is_not(None))
        .where(or_(tags.is_(None), ~tags.contains(f" {KEEP} ")))
        .where(JobTable.id.not_in(select(ModelVersionTable.job_id)))
        .order_by(JobTable.finished_at, JobTable.id)
    )
    return (row for row in session.execute(query) if row.id not in builds_on)


def _builds_on(session: Session) -> set[int]:
    """The jobs that the specs of unfinished ones name."""
    specs = session.scalars(select(JobTable.spec).where(JobTable.status.not_in(FINISHED)))
    return {job_id for spec in specs for job_id in _named_jobs(spec)}


def _named_jobs(part: Any) -> Iterator[int]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name in ("job", "run") and isinstance(value, int):  # an export names its run by the number alone
                yield value
            yield from _named_jobs(value)
    elif isinstance(part, list):
        for value in part:
            yield from _named_jobs(value)


def _remove(session: Session, each: Expendable, *, at: datetime) -> None:
    mine = ArtifactTable.job_id == each.job_id
    digests = set(session.scalars(select(ArtifactTable.sha256).where(mine)))
    session.execute(delete(ArtifactTable).where(mine))
    session.execute(delete(LogLineTable).where(LogLineTable.job_id == each.job_id))
    drop(session, unnamed(session, digests), at=at)
    change(session, each.job_id)
    why = "they were old" if each.why == "age" else "the yard's files took too much room"
    text = f"Its {each.files} files and its log were removed, as {why}. Spec, metrics and events stay."
    add_event(session, each.job_id, "files_removed", actor="yard", at=at, text=text)
