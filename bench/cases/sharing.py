"""What does sharing devices by memory change for a class?

A made-up load (`records.replay.class_load`: 30 people, 600 jobs in ten hours, many small, few large) on four GPUs of
24 GB, played by `trainyard replay` under three policies: one job a device, first come first served; one job a device,
fair by use; the yard's own. The simulated yard learns durations as jobs end, like a real one. Five loads; no chance in
the play itself. What each figure means stands in `docs/sharing.md`.

Then two LeNet-5 jobs on a real yard's CPU: one after the other, each with the whole device and all threads, against
side by side with a thread each; the time from the first job's row to the last one's end.

Last a real yard with two declared devices, and thirty jobs of five people that only wait: what was lent of a device at
its fullest moment, by the rows of the attempts. Everybody's jobs come in one go, person after person.
A user would pick one job a GPU and a list on the wall.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from statistics import mean
from typing import Any

from bench.results import Aim, Figure
from bench.setting import Measured, Setting
from bench.statistics import alternate, figure, ratio
from bench.yard import Yard, run_yard
from records.placing import Device
from records.replay import Comparison, class_load, compare
from records.tables import AttemptTable

GPUS, GPU_BYTES = 4, 24 * 10**9
LENET = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}, "epochs": 2, "seed": 3}
APART = {**LENET, "exclusive": True, "threads": 1024}
TOGETHER = {**LENET, "threads": 1}
DECLARED = "cpu:0=2GB/3,cpu:1=1.5GB/2"
PEOPLE, JOBS_EACH = 5, 6


def measure(setting: Setting) -> Measured:
    """Figures of the played loads, and of the two real jobs."""
    devices = [Device(n, f"gpu:{n}", "gpu", GPU_BYTES, threads=8, slots=8) for n in range(GPUS)]
    played = [compare(class_load(seed), devices) for seed in range(setting.count(3, 1))]
    measured = Measured(_played(played))
    with run_yard(setting.folder / "yard") as yard:
        yard.run({**LENET, "epochs": 1, "train_examples": 512})
        apart, together = alternate(setting.count(3, 1), lambda: run_two(yard, APART), lambda: run_two(yard, TOGETHER))
    measured.figures += [
        figure("two LeNet-5, one after the other", "s", apart),
        figure("two LeNet-5, side by side", "s", together),
        ratio("one after the other : side by side", apart, together),
    ]
    settings = {"devices": DECLARED, "test_kinds": True, "job_threads": 1}
    with run_yard(setting.folder / "class", **settings) as yard:
        measured.figures += _class_on(yard)
    return measured


def run_two(yard: Yard, spec: dict[str, Any]) -> float:
    """Seconds from the first job's row to the end of both."""
    ids = [yard.submit(spec) for _ in range(2)]
    yard.wait(ids, within_s=900.0)
    jobs = [yard.job(job_id) for job_id in ids]
    ends = [job.finished_at for job in jobs if job.finished_at is not None]
    return (max(ends) - min(job.created_at for job in jobs)).total_seconds()


def _class_on(yard: Yard) -> list[Figure]:
    """Thirty jobs of five people on two devices."""
    chance = Random(0)
    tokens = [yard.add_member(f"student-{number}") for number in range(1, PEOPLE + 1)]
    ids = [yard.submit(_waiting_job(chance), token=token) for token in tokens for _ in range(JOBS_EACH)]
    yard.wait(ids, within_s=600.0)
    jobs = [yard.job(job_id) for job_id in ids]
    waits = [(job.started_at - job.created_at).total_seconds() for job in jobs if job.started_at]
    by_person = [mean(waits[n : n + JOBS_EACH]) for n in range(0, len(waits), JOBS_EACH)]
    lent = yard.lent()
    memory = [100 * _fullest(attempts, "memory_bytes") / device.memory_bytes for device, attempts in lent]
    threads = [100 * _fullest(attempts, "threads") / device.threads for device, attempts in lent]
    most = Aim(relation="at most", value=100)
    return [
        figure("a real yard: memory lent at the fullest moment, by device", "%", memory, most),
        figure("a real yard: threads lent at the fullest moment, by device", "%", threads, most),
        figure("a real yard: mean wait, by person", "s", by_person),
    ]


def _waiting_job(chance: Random) -> dict[str, Any]:
    memory = chance.choice((300, 300, 400, 600, 900)) * 10**6
    return {"kind": "noop", "steps": chance.randrange(10, 40), "step_s": 0.1, "memory_bytes": memory, "threads": 1}


def _fullest(attempts: Iterable[AttemptTable], column: str) -> int:
    """The most of it that was lent at any time. Who ended at a moment has given back before who began at it."""
    changes = [
        change
        for attempt in attempts
        if attempt.finished_at is not None
        for size in [getattr(attempt, column)]
        for change in ((attempt.placed_at, size), (attempt.finished_at, -size))
    ]
    lent, most = 0, 0
    for _, change in sorted(changes, key=lambda change: (change[0], change[1])):
        lent += change
        most = max(most, lent)
    return most


def _played(played: list[Comparison]) -> list[Any]:
    figures = []
    for name in ("first-come", "whole-fair", "shared"):
        each = [comparison.figures[name] for comparison in played]
        aims = _AIMS if name == "shared" else {}
        figures += [
            figure(f"{name}: mean wait", "min", [f.waits.mean_s / 60 for f in each]),
            figure(f"{name}: 95th percentile of waits", "min", [f.waits.p95_s / 60 for f in each]),
            figure(f"{name}: until all are done", "h", [f.makespan_s / 3600 for f in each]),
            figure(f"{name}: memory in use while jobs wait", "%", _percent(each, "utilisation"), aims.get("use")),
            figure(f"{name}: Jain's index", "", [f.fairness or 1.0 for f in each], aims.get("jain")),
        ]
    shared = [comparison.figures["shared"] for comparison in played]
    first = [comparison.figures["first-come"] for comparison in played]
    return [
        *figures,
        ratio(
            "shared : first-come, mean wait", [f.waits.mean_s for f in shared], [f.waits.mean_s for f in first],
            Aim(relation="at most", value=0.5),
        ),
        figure("shared: promises kept", "%", _percent(shared, "kept"), Aim(relation="at least", value=80)),
        figure("shared: width of a promise", "min", [(f.range_s or 0.0) / 60 for f in shared]),
    ]  # fmt: skip


def _percent(figures: list[Any], name: str) -> list[float]:
    return [100 * (getattr(f, name) or 0.0) for f in figures]


_AIMS = {"use": Aim(relation="at least", value=85), "jain": Aim(relation="at least", value=0.9)}
