"""Whole simulated runs of drawn queues: what must hold at every moment, and at the end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from records.placing import FIRST_COME, SHARED, WHOLE_FAIR, Policy, Snapshot, place
from records.placing.lasting import left_after
from records.replay import Entry, play
from tests.records.placing.snapshots import NOW, devices, gpu, job, lease, seconds

entries = st.lists(
    st.builds(
        Entry,
        submit_s=st.integers(0, 200).map(float),
        user=st.sampled_from(["ada", "bob", "eve"]),
        memory_bytes=st.none() | st.integers(1, 12),
        seconds=st.integers(1, 100).map(float),
    ),
    max_size=25,
).map(lambda found: sorted(found, key=lambda entry: entry.submit_s))
policies = st.sampled_from([SHARED, WHOLE_FAIR, FIRST_COME, Policy(most_running=2)])


@settings(max_examples=150)
@given(entries, devices(empty=True), policies, st.booleans())
def test_no_device_is_above_its_capacity_at_any_time(queue, machines, policy, exact):
    played, _ = play(queue, machines, policy, exact=exact)
    for device in machines:
        mine = [done for done in played if done.device_id == device.id]
        for moment in {done.start_s for done in mine}:
            held = [done.memory_bytes for done in mine if done.start_s <= moment < done.end_s]
            assert sum(held) <= device.memory_bytes
            assert len(held) <= (device.slots if device.kind == "gpu" else min(device.slots, device.threads))


@settings(max_examples=150)
@given(entries, devices(empty=True), policies, st.booleans())
def test_each_job_is_placed_in_the_end_unless_it_fits_no_device(queue, machines, policy, exact):
    played, never = play(queue, machines, policy, exact=exact)
    assert sorted([*[done.entry for done in played], *never], key=repr) == sorted(queue, key=repr)
    largest = max((device.memory_bytes for device in machines), default=0)
    for entry in never:
        assert not machines or (policy.packs and entry.memory_bytes is not None and entry.memory_bytes > largest)
    assert all(done.wait_s >= 0 for done in played)


@settings(max_examples=100)
@given(entries, devices(empty=True))
def test_of_one_persons_equal_jobs_who_came_first_starts_first(queue, machines):
    alike = [entry._replace(user="ada", memory_bytes=None, seconds=30.0) for entry in queue]
    played, _ = play(alike, machines, SHARED, exact=True)
    starts = [done.start_s for done in sorted(played, key=lambda done: done.entry.submit_s)]
    assert starts == sorted(starts)


jobs_of_one = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 100)), min_size=1, max_size=12)


@settings(max_examples=150)
@given(jobs_of_one, st.lists(st.tuples(st.integers(1, 6), st.integers(1, 100)), max_size=4))
def test_backfill_never_delays_the_first_reservation(waiting, running):
    """One person's queue with known durations, played from a moment at which the first job cannot start."""
    leases, free = [], 12
    for number, (size, left) in enumerate(running):
        if size <= free:
            leases.append(lease(100 + number, size * 1e-9, left_s=float(left)))
            free -= size
    machine = gpu(1, 12e-9, slots=99)
    queue = [job(n, size * 1e-9, lasts=seconds(float(length))) for n, (size, length) in enumerate(waiting, 1)]
    first = place(Snapshot(NOW, queue, [machine._replace(leases=leases)]))
    promised_s = {job_id: forecast.start_s for job_id, forecast in first.forecasts.items()}
    started = _play_on(queue, machine, leases)
    held = [waiting.id for waiting in queue if waiting.id in promised_s][:1]  # the first that must wait
    for job_id in held:
        assert started[job_id] <= promised_s[job_id]


def _play_on(queue, machine, leases):
    """Pass after pass, from end to end; when each job started, in seconds."""
    from datetime import timedelta

    now, started, ends = 0.0, {}, {held.job_id: held.left.likely for held in leases}
    holders = {held.job_id: held for held in leases}
    waiting = {each.id: each for each in queue}
    while waiting:
        held = [one._replace(held_s=now, left=left_after(seconds(ends[one.job_id]), now)) for one in holders.values()]
        plan = place(Snapshot(NOW + timedelta(seconds=now), list(waiting.values()), [machine._replace(leases=held)]))
        for placement in plan.placements:
            done = waiting.pop(placement.job_id)
            started[done.id] = now
            ends[done.id] = now + done.lasts.likely
            holders[done.id] = lease(done.id, placement.memory_bytes * 1e-9, left_s=done.lasts.likely)
        if not holders:
            break
        now = min(ends[job_id] for job_id in holders)
        holders = {job_id: one for job_id, one in holders.items() if ends[job_id] > now}
    return started
