"""`place` is a pure function: what holds for every snapshot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from records.placing import FreeDevice, Snapshot, WaitingJob, place

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)

times = st.none() | st.integers(-50, 50).map(lambda s: NOW + timedelta(seconds=s))
waiting = st.lists(
    st.builds(WaitingJob, id=st.integers(1, 40), priority=st.integers(-3, 3), not_before=times),
    max_size=12,
    unique_by=lambda job: job.id,
)
devices = st.lists(
    st.builds(
        FreeDevice,
        id=st.integers(1, 20),
        kind=st.sampled_from(["cpu", "gpu"]),
        memory_bytes=st.integers(1, 3),
        leases=st.integers(0, 2),
    ),
    max_size=8,
    unique_by=lambda device: device.id,
)
snapshots = st.builds(Snapshot, at=st.just(NOW), waiting=waiting, devices=devices)


def is_ready(job):
    return job.not_before is None or job.not_before <= NOW


@given(snapshots)
def test_no_device_gets_two_jobs_and_no_job_two_devices(snapshot):
    plan = place(snapshot)
    assert len({p.device_id for p in plan.placements}) == len(plan.placements)
    assert len({p.job_id for p in plan.placements}) == len(plan.placements)


@given(snapshots)
def test_only_free_devices_are_lent_and_with_all_their_memory(snapshot):
    free = {device.id: device.memory_bytes for device in snapshot.devices if device.leases == 0}
    assert all(free[p.device_id] == p.memory_bytes for p in place(snapshot).placements)


@given(snapshots)
def test_nobody_overtakes_a_ready_job_that_goes_first(snapshot):
    placed = {p.job_id for p in place(snapshot).placements}
    ready = sorted(filter(is_ready, snapshot.waiting), key=lambda job: (-job.priority, job.id))
    assert {job.id for job in ready[: len(placed)]} == placed


@given(snapshots)
def test_no_device_stays_free_while_a_ready_job_waits(snapshot):
    free = [device for device in snapshot.devices if device.leases == 0]
    assert len(place(snapshot).placements) == min(len(free), len(list(filter(is_ready, snapshot.waiting))))


@given(snapshots)
def test_no_job_is_placed_before_its_time(snapshot):
    early = {job.id for job in snapshot.waiting if not is_ready(job)}
    plan = place(snapshot)
    assert not early & {p.job_id for p in plan.placements}
    assert all(plan.reasons[job_id].code == "retry_later" for job_id in early)


@given(snapshots)
def test_every_job_is_placed_or_has_exactly_one_reason(snapshot):
    plan = place(snapshot)
    placed = [p.job_id for p in plan.placements]
    assert sorted([*placed, *plan.reasons]) == sorted(job.id for job in snapshot.waiting)
    assert all(reason.text.endswith(".") for reason in plan.reasons.values())


@given(snapshots, st.randoms(use_true_random=False))
def test_the_same_snapshot_in_another_order_gives_the_same_plan(snapshot, chance):
    jobs, free = list(snapshot.waiting), list(snapshot.devices)
    chance.shuffle(jobs)
    chance.shuffle(free)
    assert place(Snapshot(snapshot.at, jobs, free)) == place(snapshot)


def test_the_first_job_gets_the_largest_gpu_and_the_cpu_comes_last():
    waiting = [WaitingJob(id=i, priority=0) for i in (1, 2, 3)]
    devices = [FreeDevice(1, "cpu", 99), FreeDevice(2, "gpu", 8), FreeDevice(3, "gpu", 24)]
    plan = place(Snapshot(NOW, waiting, devices))
    assert [(p.job_id, p.device_id) for p in plan.placements] == [(1, 3), (2, 2), (3, 1)]
