"""Who calls the API in tests, and who plays the worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from werkzeug.test import TestResponse

from records import artifacts, attempts, logs, runs
from records.attempts import Claim
from records.blobs import FolderBlobs
from records.database import Database
from records.events import MetricPoint
from records.logs import LogLine
from records.retries import Outcome
from records.schedule import run_pass
from records.tables import WorkerTable


class Caller:
    """Sends requests with a token, or without."""

    def __init__(self, app: APIFlask, token: str | None = None) -> None:
        self.app = app
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **headers: str) -> TestResponse:
        """GET an address of the API, or one that begins with a slash."""
        return self.send("GET", path, headers=headers)

    def post(self, path: str, json: Any = None, **headers: str) -> TestResponse:
        """POST JSON, or nothing."""
        return self.send("POST", path, headers=headers, **({} if json is None else {"json": json}))

    def send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        """Any request; underscores in header names stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        path = path if path.startswith("/") else f"/api/v1/{path}"
        return self.client.open(path, method=method, headers=self.headers | named, **{"buffered": True, **more})


@dataclass
class Yardhand:
    """Plays the worker: takes up jobs, writes what a worker writes, ends them."""

    database: Database
    blobs: FolderBlobs
    clock: Any
    worker: WorkerTable

    def take_up(self) -> Claim:
        """Place and claim the next job."""
        with self.database.write() as session:
            (bell,) = run_pass(session, lease_s=60, at=self.clock.advance(1))
            return attempts.claim(session, bell.attempt_id, self.worker, lease_s=60, at=self.clock.advance(1))

    def write_points(self, claim: Claim, name: str, values: dict[int, float | None]) -> None:
        """Metric points by step."""
        at = self.clock.advance(1)
        points = [MetricPoint(name=name, step=step, value=value, at=at) for step, value in values.items()]
        with self.database.write() as session:
            runs.write_metrics(session, claim.run_id, points)

    def write_lines(self, claim: Claim, *lines: str) -> None:
        """Lines of the log."""
        with self.database.write() as session:
            collected = [LogLine(self.clock(), "info", line) for line in lines]
            logs.write_log(session, claim.job_id, claim.number, collected)

    def keep(self, claim: Claim, name: str, content: bytes, media_type: str, folder: Path) -> None:
        """An artifact."""
        (folder / "kept").write_bytes(content)
        blob = self.blobs.put_file(folder / "kept")
        with self.database.write() as session:
            artifacts.add_artifact(
                session, claim.job_id, blob, name=name, kind="table", media_type=media_type, at=self.clock()
            )

    def end(self, claim: Claim, outcome: Outcome | None = None) -> None:
        """End the attempt; well, unless an outcome is given."""
        with self.database.write() as session:
            attempts.finish(
                session,
                claim.attempt_id,
                claim.job_id,
                outcome or Outcome.succeeded(),
                actor="worker:w1",
                at=self.clock.advance(1),
            )
