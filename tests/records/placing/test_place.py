"""`place` is a pure function: what holds for every snapshot, and what it does with a few."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from records.placing import FIRST_COME, Demand, Policy, Snapshot, place
from tests.records.placing.snapshots import GB, NOW, cpu, gpu, job, lease, seconds, snapshots

policies = st.builds(
    Policy,
    packs=st.booleans(),
    fair=st.booleans(),
    most_running=st.none() | st.integers(1, 3),
    preempts=st.booleans(),
    least_run_s=st.just(50.0),
    weights=st.dictionaries(st.integers(1, 4), st.floats(0.1, 10)),
)


def held(snapshot, plan):
    """What each device holds after the plan: memory, threads, attempts."""
    found = {d.id: [sum(x.memory_bytes for x in d.leases), sum(x.threads for x in d.leases), len(d.leases)]
             for d in snapshot.devices}  # fmt: skip
    for placement in plan.placements:
        found[placement.device_id][0] += placement.memory_bytes
        found[placement.device_id][1] += placement.threads
        found[placement.device_id][2] += 1
    return found


def where(plan):
    return {p.job_id: p.device_id for p in plan.placements}


@given(snapshots, policies)
def test_no_device_is_ever_lent_beyond_what_it_has(snapshot, policy):
    after = held(snapshot, place(snapshot, policy))
    placed_on = {p.device_id for p in place(snapshot, policy).placements}
    for device in snapshot.devices:
        memory, threads, attempts = after[device.id]
        if device.id in placed_on:
            assert memory <= device.memory_bytes - device.taken_bytes
            assert device.kind == "gpu" or threads <= device.threads
            assert attempts <= device.slots


@given(snapshots, policies)
def test_a_whole_device_is_shared_with_nobody(snapshot, policy):
    plan = place(snapshot, policy)
    jobs = {waiting.id: waiting for waiting in snapshot.waiting}
    devices = {device.id: device for device in snapshot.devices}
    for placement in plan.placements:
        device = devices[placement.device_id]
        demand = jobs[placement.job_id].demand
        asked = demand.gpu_bytes if device.kind == "gpu" else demand.cpu_bytes
        if asked is None or not policy.packs:
            assert [p for p in plan.placements if p.device_id == device.id] == [placement]
            assert not device.leases
            assert placement.memory_bytes == device.memory_bytes - device.taken_bytes
        else:
            assert placement.memory_bytes == asked


@given(snapshots, policies)
def test_every_job_is_placed_once_or_has_exactly_one_reason(snapshot, policy):
    plan = place(snapshot, policy)
    assert sorted([*where(plan), *plan.reasons]) == sorted(waiting.id for waiting in snapshot.waiting)
    assert len(where(plan)) == len(plan.placements)
    assert sorted(plan.order) == sorted(waiting.id for waiting in snapshot.waiting)
    assert all(reason.text.endswith(".") for reason in plan.reasons.values())
    assert not set(plan.forecasts) & set(where(plan))


@given(snapshots, policies, st.randoms(use_true_random=False))
def test_the_same_snapshot_in_another_order_gives_the_same_plan(snapshot, policy, chance):
    jobs, devices = list(snapshot.waiting), list(snapshot.devices)
    chance.shuffle(jobs)
    chance.shuffle(devices)
    assert place(replace(snapshot, waiting=jobs, devices=devices), policy) == place(snapshot, policy)


@given(snapshots, policies)
def test_no_job_is_placed_before_its_time_or_past_a_bar(snapshot, policy):
    plan = place(snapshot, policy)
    for waiting in snapshot.waiting:
        if waiting.not_before is not None and waiting.not_before > NOW:
            assert plan.reasons[waiting.id].code == "retry_later"
        elif waiting.owner_id in snapshot.barred:
            assert plan.reasons[waiting.id].code == "quota_hours"


@given(snapshots, policies)
def test_a_quota_on_running_jobs_holds(snapshot, policy):
    if policy.most_running is None:
        return
    owners = {waiting.id: waiting.owner_id for waiting in snapshot.waiting}
    for owner in range(1, 5):
        running = sum(x.owner_id == owner for device in snapshot.devices for x in device.leases)
        started = sum(owners[id] == owner for id in where(place(snapshot, policy)))
        assert started == 0 or running + started <= policy.most_running


@given(snapshots)
def test_nobody_is_stopped_for_others_unless_an_administrator_allows_it(snapshot):
    assert place(snapshot).preemptions == ()


def test_jobs_that_fit_together_share_a_device_and_a_third_that_does_not_waits():
    plan = place(Snapshot(NOW, [job(1, 10), job(2, 10), job(3, 10)], [gpu(1, 24)]))
    assert where(plan) == {1: 1, 2: 1}
    assert plan.reasons[3].code == "waiting_for_memory"
    assert "job 1 is expected to free gpu:1" in plan.reasons[3].text


def test_a_device_that_nobody_holds_is_taken_before_one_is_shared():
    plan = place(Snapshot(NOW, [job(1, 4), job(2, 4), job(3, 4)], [gpu(1), gpu(2)]))
    assert where(plan) == {1: 1, 2: 2, 3: 1}


def test_of_devices_shared_alike_the_one_is_taken_that_the_job_fills_best():
    assert where(place(Snapshot(NOW, [job(1, 4)], [gpu(1, 24), gpu(2, 8), gpu(3, 3)]))) == {1: 2}


def test_a_job_of_unknown_needs_gets_the_largest_gpu_and_the_cpu_comes_last():
    devices = [cpu(1, 99), gpu(2, 8), gpu(3, 24)]
    assert where(place(Snapshot(NOW, [job(1), job(2), job(3)], devices))) == {1: 3, 2: 2, 3: 1}


def test_what_outsiders_hold_is_not_lent_and_a_device_that_they_hold_much_of_is_not_whole():
    busy = gpu(1, 24, taken_bytes=10 * GB)
    plan = place(Snapshot(NOW, [job(1, 15), job(2), job(3, 14)], [busy]))
    assert where(plan) == {3: 1}
    assert (plan.reasons[1].code, plan.reasons[2].code) == ("outsiders", "outsiders")
    assert "10.0 GB of gpu:1" in plan.reasons[1].text


def test_a_cpu_lends_threads_as_well_as_memory():
    plan = place(Snapshot(NOW, [job(1, 1), job(2, 1), job(3, 1)], [cpu(1, 16, threads=2)]))
    assert where(plan) == {1: 1, 2: 1}
    assert [p.threads for p in plan.placements] == [1, 1]


def test_a_job_that_wants_all_threads_waits_until_all_are_free_and_then_has_them():
    everything = job(1, 1, threads=None)
    waits = place(Snapshot(NOW, [everything], [cpu(1, 16, lease(9, 1, left_s=120), threads=2)]))
    assert waits.reasons[1] == (
        "waiting_for_threads",
        "Waits for 2 processor threads; job 9 is expected to free cpu:1 at 07:11 UTC.",
    )
    (placement,) = place(Snapshot(NOW, [everything], [cpu(1, 16, threads=2)])).placements
    assert placement.threads == 2


def test_a_job_that_asks_for_more_threads_than_there_are_gets_those_that_there_are():
    (placement,) = place(Snapshot(NOW, [job(1, 1, threads=64)], [cpu(1, threads=4)])).placements
    assert placement.threads == 4


def test_on_a_gpu_threads_follow_the_memory_and_are_not_counted():
    plan = place(Snapshot(NOW, [job(1, 12, threads=None), job(2, 6), job(3, 1)], [gpu(1, 24, threads=8)]))
    assert [p.threads for p in plan.placements] == [4, 2, 1]


def test_no_more_jobs_share_a_device_than_it_has_places():
    plan = place(Snapshot(NOW, [job(n, 1) for n in range(1, 5)], [gpu(1, slots=3)]))
    assert len(plan.placements) == 3


def test_what_a_kind_of_device_needs_counts_for_that_kind():
    either = job(1)._replace(demand=Demand(cpu_bytes=2 * GB, gpu_bytes=30 * GB, threads=1))
    assert where(place(Snapshot(NOW, [either], [gpu(1, 24), cpu(2, 16)]))) == {1: 2}


def test_one_job_a_device_when_nothing_is_packed():
    plan = place(Snapshot(NOW, [job(1, 1), job(2, 1), job(3, 1)], [gpu(1), gpu(2)]), FIRST_COME)
    assert len(plan.placements) == 2
    assert {p.memory_bytes for p in plan.placements} == {24 * GB}


# ── backfill ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_small_job_slips_past_a_large_one_only_if_it_ends_before_or_fits_beside():
    running = gpu(1, 24, lease(9, 12, left_s=600))
    large = job(1, 20, lasts=seconds(3600))
    short, beside, long = job(2, 6, lasts=seconds(500)), job(3, 4, lasts=seconds(9000)), job(4, 6, lasts=seconds(700))
    plan = place(Snapshot(NOW, [large, short, beside, long], [running]))
    assert where(plan) == {2: 1, 3: 1}
    assert plan.forecasts[1].start_s == 600
    assert plan.reasons[4].code == "waiting_for_turn"


def test_a_job_that_may_last_longer_than_is_likely_does_not_slip_past_on_luck():
    running = gpu(1, 24, lease(9, 12, left_s=600))
    unsure = job(2, 6, lasts=seconds(100)._replace(high=601.0))
    plan = place(Snapshot(NOW, [job(1, 20), unsure], [running]))
    assert where(plan) == {}
    assert plan.reasons[2].code == "held_for_larger"


def test_room_for_a_large_job_on_one_device_leaves_the_others_alone():
    devices = [gpu(1, 24, lease(8, 12, left_s=600)), gpu(2, 24, lease(9, 12, left_s=900))]
    plan = place(Snapshot(NOW, [job(1, 20), job(2, 6, lasts=seconds(9000))], devices))
    assert where(plan) == {2: 2}
    assert plan.forecasts[1] == (600, 1)


# ── preemption ───────────────────────────────────────────────────────────────────────────────────────────────

ALLOWED = Policy(preempts=True, least_run_s=100)


def test_a_higher_priority_stops_the_lowest_and_latest_that_ran_long_enough():
    holders = [
        lease(7, 8, priority=0, held_s=500),
        lease(8, 8, priority=-1, held_s=900),
        lease(9, 8, priority=-1, held_s=50),
    ]
    plan = place(Snapshot(NOW, [job(1, 8, priority=5)], [gpu(1, 24, *holders)]), ALLOWED)
    assert plan.preemptions == ((8, 1),)
    assert plan.reasons[1].code == "making_room"
    assert plan.forecasts[1].start_s == 30


def test_nobody_is_stopped_who_would_not_make_enough_room_or_is_not_lower():
    holders = [lease(7, 12, priority=5, held_s=500), lease(8, 4, priority=0, held_s=500)]
    assert place(Snapshot(NOW, [job(1, 16, priority=5)], [gpu(1, 24, *holders)]), ALLOWED).preemptions == ()


def test_no_more_are_stopped_than_it_takes():
    holders = [lease(7, 2, priority=0, held_s=200), lease(8, 20, priority=0, held_s=500)]
    plan = place(Snapshot(NOW, [job(1, 20, priority=5)], [gpu(1, 24, *holders)]), ALLOWED)
    assert plan.preemptions == ((8, 1),)


def test_while_somebody_stops_nobody_else_is_asked_to():
    holders = [lease(7, 12, priority=0, held_s=500, stopping=True), lease(8, 12, priority=0, held_s=500)]
    plan = place(Snapshot(NOW, [job(1, 12, priority=5)], [gpu(1, 24, *holders)]), ALLOWED)
    assert plan.preemptions == ()
    assert plan.reasons[1].code == "making_room"


def test_a_device_where_the_least_is_lost_is_chosen():
    devices = [gpu(1, 24, lease(7, 24, held_s=5000)), gpu(2, 24, lease(8, 24, held_s=200))]
    plan = place(Snapshot(NOW, [job(1, priority=5)], devices), ALLOWED)
    assert plan.preemptions == ((8, 1),)
