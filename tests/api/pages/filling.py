"""Jobs in every state, put into a database through `records`, for pages to show."""

from __future__ import annotations

import math
import struct
import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ml.kinds import inspect
from records.accounts import Person
from records.artifacts import add_artifact
from records.attempts import Claim, claim, finish, guard, note_child
from records.blobs import FolderBlobs
from records.database import Database
from records.editing import JobEdit, edit
from records.events import MetricPoint
from records.jobs import change, lock_job, submit
from records.logs import LogLine, write_log
from records.models import move_alias, register
from records.retries import Outcome
from records.runs import note_run, write_metrics
from records.schedule import run_pass
from records.specs import parse_spec
from records.workers import FoundDevice
from records.workers import register as register_worker

SPEC = {
    "kind": "train",
    "dataset": "mnist",
    "network": {"name": "lenet5", "options": {"activation": "tanh"}},
    "epochs": 4,
    "learning_rate": 0.002,
    "schedule": {"name": "one_cycle"},
    "augmentation": {"shift": 0.07},
}
STEPS = 1_688
CPU = FoundDevice("cpu:0", "cpu", 0, "A processor of eight cores", 16 << 30, 8)


def add_job(database: Database, person: Person, at: datetime, **fields: Any) -> int:
    """A queued job with its estimate."""
    spec = parse_spec({**SPEC, **fields}, test_kinds=True)
    cost = inspect(spec).cost
    estimate = None if cost is None else cost.estimate.to_json()
    with database.write() as session:
        job = submit(
            session,
            spec,
            owner_id=person.id,
            actor=f"user:{person.name}",
            parameters=61_706,
            at=at,
            estimate=estimate,
        )
        return job.id


def start_next(database: Database, at: datetime, *, steps: int = 700, peak_bytes: int | None = None) -> Claim:
    """A worker with one device that takes up the next job, and has done some steps of it."""
    with database.write() as session:
        worker = register_worker(session, "bench", host="bench.lab", pid=4711, version="0.1.0", devices=[CPU], at=at)
        bells = run_pass(session, lease_s=3600, at=at)
        taken = claim(session, bells[0].attempt_id, worker, lease_s=3600, at=at)
        note_child(session, taken.attempt_id, pid=4712, first_step_at=at, peak_bytes=peak_bytes)
    report(database, taken, at, first=0, end=steps)
    return taken


def report(database: Database, taken: Claim, at: datetime, *, first: int, end: int) -> None:
    """Steps of training, as a worker would write them."""
    with database.write() as session:
        guard(session, taken.attempt_id, taken.job_id, lease_s=3600, at=at)
        write_metrics(session, taken.run_id, [p for step in range(first + 8, end + 1, 8) for p in _points(step, at)])
        live = {
            "stage": "training", "epoch": end // 422 + 1, "epochs": 4, "step": end, "steps": STEPS,
            "images_per_s": 16_240.5, "time_left_s": (STEPS - end) * 0.008, "values": {"train/loss": 0.12},
        }  # fmt: skip
        change(session, taken.job_id, live=live, progress=end / STEPS)
        lines = [
            LogLine(at + timedelta(milliseconds=s), "info", f"Step {s} of {STEPS}.") for s in range(first, end, 100)
        ]
        write_log(session, taken.job_id, taken.number, [*lines, LogLine(at, "warning", "One processor is busy.")])


def succeed(database: Database, blobs: FolderBlobs, folder: Path, taken: Claim, at: datetime) -> None:
    """The end of a training, with its results."""
    report(database, taken, at, first=700, end=STEPS)
    with database.write() as session:
        for name, kind, media_type, content in _results():
            path = folder / name
            path.write_bytes(content)
            blob = blobs.put_file(path)
            add_artifact(session, taken.job_id, blob, name=name, kind=kind, media_type=media_type, at=at)
        facts = {"seed": 0, "device": "cpu:0", "versions": {"keras": "3.15.1", "tensorflow": "2.21.0"}}
        summary = {"test/accuracy": 0.9912, "test/loss": 0.02714, "val/accuracy": 0.9903, "epochs": 4}
        note_run(session, taken.run_id, facts=facts, summary=summary)
        finish(session, taken.attempt_id, taken.job_id, Outcome.succeeded(), actor="worker:bench", at=at)


def write_and_register(database: Database, person: Person, job_id: int, at: datetime) -> None:
    """A note and tags on a finished job, and its model registered twice, with an alias that has moved."""
    actor = f"user:{person.name}"
    wanted = JobEdit(note="The first that was\ngood enough.", tags=("good", "lenet"))
    with database.write() as session:
        edit(session, job_id, wanted, expected=lambda edits: True, actor=actor, at=at)
        for number in (1, 2):
            job = lock_job(session, job_id)
            version = register(
                session,
                person.id,
                "digits",
                job,
                artifact="model.keras",
                note="For the demo." if number == 2 else None,
                actor=actor,
                at=at,
            )
            move_alias(session, version, "champion", expected=lambda move: True, actor=actor, at=at)


def fail(database: Database, taken: Claim, at: datetime) -> None:
    """A training that diverged."""
    outcome = Outcome.failed("diverged", "The training loss became nan at step 708. Choose a smaller learning_rate.")
    with database.write() as session:
        finish(session, taken.attempt_id, taken.job_id, outcome, actor="worker:bench", at=at)


def _points(step: int, at: datetime) -> list[MetricPoint]:
    loss = 2.2 * math.exp(-step / 160) + 0.05 + 0.02 * math.sin(step * 1.7)
    values = {
        "train/loss": loss,
        "train/accuracy": 1 - loss / 2.6,
        "learning_rate": 0.002 * math.sin(math.pi * (step + 1) / (STEPS + 2)),
    }
    if step % 422 < 8 and step > 8:
        values |= {"val/loss": loss * 0.9, "val/accuracy": 1 - loss / 3, "images_per_s": 16_000 + step}
    return [MetricPoint(name=name, step=step, value=value, at=at) for name, value in values.items()]


def _results() -> list[tuple[str, str, str, bytes]]:
    matrix = [[980 - 3 * i if i == j else (i * j) % 4 for j in range(10)] for i in range(10)]
    confusion = f'{{"classes": {[str(i) for i in range(10)]}, "matrix": {matrix}}}'.replace("'", '"')
    return [
        ("run.json", "record", "application/json", b"{}"),
        ("best.weights.h5", "weights", "application/x-hdf5", b"weights"),
        ("model.keras", "model", "application/octet-stream", b"model" * 50_000),
        ("best.weights.h5", "weights", "application/x-hdf5", b"weights" * 20_000),
        ("run.json", "record", "application/json", b"{}"),
        ("history.csv", "history", "text/csv", b"epoch,train/loss\n1,0.3\n"),
        ("confusion-matrix.json", "table", "application/json", confusion.encode()),
        ("mistakes.png", "picture", "image/png", png(320, 200)),
        ("learning-curves.png", "picture", "image/png", png(320, 200)),
    ]


def png(width: int, height: int) -> bytes:
    """A grey picture."""
    rows = b"".join(b"\0" + bytes((x + y) % 160 + 80 for x in range(width)) for y in range(height))

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
