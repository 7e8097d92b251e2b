"""A real yard for a benchmark: `trainyard up` in a home of its own, asked over HTTP, and read in SQL afterwards."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select

from bench.setting import CannotMeasure
from records.accounts import create_token, create_user
from records.clock import utc_now
from records.database import Database
from records.settings import Settings
from records.states import FINISHED, JobStatus
from records.tables import AttemptTable, DeviceTable, JobTable, RunTable

T = TypeVar("T")
_START_S, _STOP_S = 120.0, 60.0
_PAUSE_S = 0.02


class Yard:
    """A running yard: its address, its administrator's token, its database."""

    def __init__(self, home: Path, pid: int, database_url: str | None) -> None:
        state = json.loads((home / "state.json").read_text())
        self.pid = pid
        self.url: str = state["url"]
        self.pids: dict[str, int] = state["pids"]
        self.token = Path(state["token_file"]).read_text().strip()
        settings = Settings(home=home, data=(), database_url=database_url)
        self.cache = settings.cache_folder
        self._database = Database(settings.database_address)

    def add_member(self, name: str) -> str:
        """A token of a new person."""
        at = utc_now()
        with self._database.write() as session:
            return create_token(session, create_user(session, name, "member", at=at).id, "bench", at=at)

    def submit(self, spec: Mapping[str, Any], *, token: str | None = None) -> int:
        """Send a job, as the administrator or whose token it is, and return its id as soon as 202 was answered."""
        with self._ask("/api/v1/jobs", json.dumps(spec).encode(), token) as reply:
            return int(json.loads(reply.read())["id"])

    def get(self, path: str) -> http.client.HTTPResponse:
        """The reply to a GET, to be closed."""
        return self._ask(path)

    def wait(self, job_ids: Sequence[int], *, within_s: float) -> None:
        """Wait until all these jobs have succeeded.

        Looks into SQL, at one row unless it is the last, so that waiting takes little from what is measured.
        """
        for job_id in reversed(job_ids):
            await_true(partial(self._has_succeeded, job_id), within_s, f"job {job_id} to finish")

    def run(self, spec: Mapping[str, Any], *, within_s: float = 600.0) -> int:
        """Submit and wait."""
        job_id = self.submit(spec)
        self.wait([job_id], within_s=within_s)
        return job_id

    def job(self, job_id: int) -> JobTable:
        """The row of a job."""
        with self._database.read() as session:
            return session.get_one(JobTable, job_id)

    def to_finish_s(self, job_id: int) -> float:
        """From the job's row, written before the 202 leaves, to its end, in seconds."""
        job = self.job(job_id)
        assert job.finished_at is not None
        return (job.finished_at - job.created_at).total_seconds()

    def to_claim_s(self, job_id: int) -> float:
        """From the job's row to its worker's claim, in seconds."""
        claimed = self._attempt(job_id).started_at
        assert claimed is not None
        return (claimed - self.job(job_id).created_at).total_seconds()

    def to_first_step_s(self, job_id: int) -> float:
        """From the job's row to the end of its first training step, in seconds."""
        first = self._attempt(job_id).first_step_at
        assert first is not None
        return (first - self.job(job_id).created_at).total_seconds()

    def lent(self) -> list[tuple[DeviceTable, list[AttemptTable]]]:
        """Every device, and all attempts that ever held a part of it."""
        with self._database.read() as session:
            devices = session.scalars(select(DeviceTable)).all()
            attempts = session.scalars(select(AttemptTable)).all()
        return [(device, [each for each in attempts if each.device_id == device.id]) for device in devices]

    def facts(self, job_id: int) -> dict[str, Any]:
        """What the job's run has on record."""
        with self._database.read() as session:
            return dict(session.scalars(select(RunTable.facts).where(RunTable.job_id == job_id)).one())

    def close(self) -> None:
        """Give the database's connections back."""
        self._database.close()

    def _attempt(self, job_id: int) -> AttemptTable:
        with self._database.read() as session:
            return session.scalars(select(AttemptTable).where(AttemptTable.job_id == job_id)).one()

    def _ask(self, path: str, body: bytes | None = None, token: str | None = None) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=body, headers=headers)
        reply: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=30)
        return reply

    def _has_succeeded(self, job_id: int) -> bool:
        job = self.job(job_id)
        if job.status in FINISHED and job.status != JobStatus.SUCCEEDED:
            raise RuntimeError(f"Job {job_id} {job.status}: {job.reason_code}: {job.reason_text}")
        return job.status == JobStatus.SUCCEEDED


@contextmanager
def run_yard(folder: Path, *, database_url: str | None = None, **settings: object) -> Iterator[Yard]:
    """Start a yard in an empty folder with these `Settings`, and stop it at the end.

    Of the caller's environment only `TRAINYARD_DATA` counts, which says where datasets lie at hand.
    """
    program = shutil.which("trainyard", path=str(Path(sys.executable).parent))
    if program is None:
        raise CannotMeasure(f"There is no `trainyard` beside {sys.executable}. Run `make setup`.")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "up", "--home", str(folder), "--port", "0"],
            env=_environment(database_url, settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        await_true(lambda: _is_up(process, folder), _START_S, "`trainyard up` to be ready")
        yard = Yard(folder, process.pid, database_url)
        try:
            yield yard
        finally:
            yard.close()
    finally:
        _stop(process)


def await_true(predicate: Callable[[], T], within_s: float, what: str) -> T:
    """Ask again and again until the answer is true, and return it."""
    deadline = time.monotonic() + within_s
    while not (answer := predicate()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"Waited {within_s:.0f} s for {what}.")
        time.sleep(_PAUSE_S)
    return answer


def _environment(database_url: str | None, settings: Mapping[str, object]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "TRAINYARD_DATA" or not name.startswith(("TRAINYARD_", "DATABASE_URL", "REDIS_URL"))
    }
    ours = {f"TRAINYARD_{name.upper()}": str(value) for name, value in settings.items()}
    return {**kept, **ours, **({"DATABASE_URL": database_url} if database_url else {})}


def _is_up(process: subprocess.Popen[bytes], home: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"`trainyard up` ended at once:\n{(home / 'up.log').read_text()}")
    return (home / "state.json").exists()


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()  # its parts are on its leash
        process.wait()
