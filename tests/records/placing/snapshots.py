"""Snapshots for tests: by hand in a few words, and drawn by hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from records.placing import Demand, Device, Lease, Reason, Snapshot, Span, WaitingJob

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
GB = 10**9
TEN_MINUTES = Span(600.0, 600.0, 600.0)


def seconds(length: float) -> Span:
    """A span that is known exactly."""
    return Span(length, length, length)


def job(id: int, gigabytes: float | None = None, *, owner: int = 1, threads: int | None = 1, **more: Any) -> WaitingJob:
    """A waiting job that needs so much of any device, or a whole one."""
    count = None if gigabytes is None else int(gigabytes * GB)
    more.setdefault("lasts", TEN_MINUTES)
    return WaitingJob(id, owner, more.pop("priority", 0), Demand(count, count, threads), **more)


def lease(job_id: int, gigabytes: float, *, owner: int = 1, left_s: float = 600.0, **more: Any) -> Lease:
    """A running job that holds so much for so long."""
    fields = {"priority": 0, "threads": 1, "held_s": 0.0, "left": seconds(left_s), **more}
    return Lease(job_id=job_id, owner_id=owner, memory_bytes=int(gigabytes * GB), **fields)


def gpu(id: int, gigabytes: float = 24, *leases: Lease, **more: Any) -> Device:
    """A GPU for up to eight jobs."""
    return Device(id, f"gpu:{id}", "gpu", int(gigabytes * GB), **{"threads": 4, "slots": 8, "leases": leases, **more})


def cpu(id: int, gigabytes: float = 16, *leases: Lease, threads: int = 2, **more: Any) -> Device:
    """A CPU device."""
    fields = {"threads": threads, "slots": threads, "leases": leases, **more}
    return Device(id, f"cpu:{id}", "cpu", int(gigabytes * GB), **fields)


# ── drawn ────────────────────────────────────────────────────────────────────────────────────────────────────

times = st.none() | st.integers(-50, 50).map(lambda s: NOW + timedelta(seconds=s))
spans = st.tuples(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50)).map(
    lambda parts: Span(float(parts[0]), float(parts[0] + parts[1]), float(sum(parts)))
)
demands = st.builds(
    Demand,
    cpu_bytes=st.none() | st.integers(1, 6),
    gpu_bytes=st.none() | st.integers(1, 6),
    threads=st.none() | st.integers(1, 5),
)
waiting = st.lists(
    st.builds(
        WaitingJob,
        id=st.integers(1, 40),
        owner_id=st.integers(1, 4),
        priority=st.integers(-1, 1),
        demand=demands,
        lasts=spans,
        not_before=times,
        due_at=times,
    ),
    max_size=14,
    unique_by=lambda job: job.id,
)


@st.composite
def devices(draw: st.DrawFn, *, empty: bool = False) -> list[Device]:
    """Up to five devices whose leases fit them; with `empty`, nothing is lent."""
    made = []
    for id in range(1, 1 + draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["cpu", "gpu"]))
        memory, threads, slots = draw(st.integers(1, 12)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
        taken = draw(st.integers(0, memory)) if draw(st.booleans()) and not empty else 0
        leases: list[Lease] = []
        free, left = memory, threads
        while not empty and len(leases) < slots and free and left and draw(st.booleans()):
            held = Lease(
                job_id=100 * id + len(leases),
                owner_id=draw(st.integers(1, 4)),
                priority=draw(st.integers(-1, 1)),
                memory_bytes=draw(st.integers(1, free)),
                threads=draw(st.integers(1, left)),
                held_s=float(draw(st.integers(0, 100))),
                left=draw(spans),
                stopping=draw(st.booleans()),
            )
            leases.append(held)
            free, left = free - held.memory_bytes, left - (held.threads if kind == "cpu" else 0)
        made.append(Device(id, f"{kind}:{id}", kind, memory, threads, slots, taken, tuple(leases)))
    return made


snapshots = st.builds(
    Snapshot,
    at=st.just(NOW),
    waiting=waiting,
    devices=devices(),
    used=st.dictionaries(st.integers(1, 4), st.floats(0, 1e4)),
    barred=st.dictionaries(st.integers(1, 4), st.just(Reason("quota_hours", "Enough.")), max_size=1),
)
