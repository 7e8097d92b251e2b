"""What the API tells of sharing: what a job needs, who holds what, when it starts; and what quotas refuse."""

from __future__ import annotations

import pytest

from ml.estimates import Room
from ml.kinds import inspect
from records.attempts import guard
from records.schedule import run_pass
from records.specs import parse_spec
from tests.api.calling import Caller

TRAIN = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}


def test_a_job_asks_for_what_its_estimate_says_that_it_takes(ada):
    job = ada.post("jobs", TRAIN).json
    beside = inspect(parse_spec(TRAIN)).cost.beside_bytes
    for kind in ("cpu", "gpu"):
        high = job["estimate"]["peak"][kind]["high_bytes"]
        assert job["needs"][f"{kind}_bytes"] == Room("", kind, 0).needed(high, beside)


@pytest.mark.parametrize(
    ("fields", "threads"),
    [({}, 1), ({"network": {"name": "resnet20"}}, None), ({"threads": 3}, 3), ({"exclusive": True}, 1)],
)
def test_a_small_training_asks_for_one_thread_and_a_large_one_for_all(ada, fields, threads):
    assert ada.post("jobs", {**TRAIN, **fields}).json["needs"]["threads"] == threads


def test_the_yard_may_say_how_many_threads_a_job_gets_that_asks_for_none(make_app, member):
    caller = Caller(make_app(job_threads=4), member.token)
    assert caller.post("jobs", TRAIN).json["needs"]["threads"] == 4
    assert caller.post("jobs", {**TRAIN, "threads": 2}).json["needs"]["threads"] == 2


def test_an_exclusive_job_asks_for_a_whole_device(ada):
    needs = ada.post("jobs", {**TRAIN, "exclusive": True}).json["needs"]
    assert (needs["cpu_bytes"], needs["gpu_bytes"]) == (None, None)


def test_a_waiting_job_tells_when_it_is_expected_to_start_and_what_it_was_promised(ada, hand, submit_noop, database):
    submit_noop()
    hand.take_up()
    waiting = submit_noop()
    with database.write() as session:
        run_pass(session, lease_s=60, at=hand.clock())
    job = ada.get(f"jobs/{waiting}").json
    assert job["expected_start"]["from"] <= job["expected_start"]["likely"] <= job["expected_start"]["until"]
    assert job["promise"]["likely"] == job["expected_start"]["likely"]
    assert job["promise"]["kept"] is None
    assert ada.get("queue").json["items"][0]["expected_start"] == job["expected_start"]


def test_a_running_job_expects_no_start(ada, hand, submit_noop):
    job_id = submit_noop()
    hand.take_up()
    assert ada.get(f"jobs/{job_id}").json["expected_start"] is None


def test_a_device_tells_what_each_job_holds(ada, bob, hand, submit_noop):
    job_id = submit_noop(memory_bytes=400_000_000)
    hand.take_up()
    for caller, seen in ((ada, job_id), (bob, None)):
        (device,) = caller.get("devices").json["items"]
        (lease,) = device["leases"]
        assert (lease["job_id"], lease["memory_bytes"], lease["threads"]) == (seen, 400_000_000, 1)
        assert (device["lent_bytes"], device["taken_bytes"], device["takers"]) == (400_000_000, 0, [])


def test_gauges_tell_the_memory_of_each_device(root, hand, submit_noop):
    submit_noop(memory_bytes=400_000_000)
    hand.take_up()
    assert 'trainyard_device_lent_bytes{device="cpu:0",kind="cpu",worker="w1"} 4e+08' in root.get("/metrics").text


# ── sooner ───────────────────────────────────────────────────────────────────────────────────────────────────


def sooner(caller, job_id):
    return caller.get(f"jobs/{job_id}/sooner").json["items"]


def test_a_smaller_batch_that_fits_what_is_free_now_is_told_and_would_really_start(ada, hand, submit_noop, database):
    submit_noop(memory_bytes=350_000_000)
    hand.take_up()
    spec = {**TRAIN, "network": {"name": "resnet20"}, "batch_size": 256, "threads": 1}
    waiting = ada.post("jobs", spec).json["id"]
    with database.write() as session:
        assert run_pass(session, lease_s=60, at=hand.clock()) == []
    (change,) = sooner(ada, waiting)
    batch = change["change"]["batch_size"]
    assert 8 <= batch < 256
    assert change["text"] == f"With a batch of {batch} it would start now on cpu:0."
    smaller = ada.post("jobs", {**spec, "batch_size": batch}).json["id"]
    ada.post(f"jobs/{waiting}/cancel")
    assert hand.take_up().job_id == smaller


def test_one_thread_is_told_where_only_threads_are_missing(ada, hand, submit_noop):
    submit_noop(memory_bytes=300_000_000)
    hand.take_up()
    waiting = ada.post("jobs", {**TRAIN, "threads": 2}).json["id"]
    assert [change["change"] for change in sooner(ada, waiting)] == [{"threads": 1}]


def test_who_wants_a_device_alone_is_told_that_there_is_room_beside_others(ada, hand, submit_noop):
    submit_noop(memory_bytes=300_000_000)
    hand.take_up()
    waiting = ada.post("jobs", {**TRAIN, "exclusive": True}).json["id"]
    assert [change["change"] for change in sooner(ada, waiting)] == [{"exclusive": False}]


def test_nothing_is_told_of_a_job_that_does_not_wait_or_cannot_change(ada, bob, hand, submit_noop):
    running, waiting = submit_noop(), submit_noop()
    hand.take_up()
    assert sooner(ada, running) == sooner(ada, waiting) == []
    assert bob.get(f"jobs/{waiting}/sooner").status_code == 404


def test_the_newest_promises_are_counted(ada, hand, submit_noop):
    submit_noop()
    claim = hand.take_up()
    submit_noop()
    with hand.database.write() as session:
        run_pass(session, lease_s=60, at=hand.clock())
    hand.clock.advance(900)
    with hand.database.write() as session:
        guard(session, claim.attempt_id, claim.job_id, lease_s=60, at=hand.clock())
    hand.end(claim)
    hand.take_up()
    assert ada.get("queue/promises").json == {"count": 1, "kept": 1}


# ── what a replay plays ──────────────────────────────────────────────────────────────────────────────────────


def test_past_jobs_are_listed_for_administrators_page_by_page(ada, root, hand, submit_noop):
    ids = []
    for size in (None, 400_000_000):
        ids.append(submit_noop(memory_bytes=size))
        claim = hand.take_up()
        hand.clock.advance(50)
        hand.end(claim)
    assert ada.get("queue/history").status_code == 403
    first = root.get("queue/history?limit=1").json
    (newest,) = first["items"]
    assert (newest["job_id"], newest["owner"], newest["memory_bytes"]) == (ids[1], "ada", 400_000_000)
    assert newest["seconds"] == 52
    (oldest,) = root.get(f"queue/history?limit=1&cursor={first['next']}").json["items"]
    assert (oldest["job_id"], oldest["memory_bytes"]) == (ids[0], None)


# ── quotas ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_member_may_have_so_many_jobs_waiting_and_an_administrator_any(make_app, member, admin):
    app = make_app(most_queued=2)
    ada, root = Caller(app, member.token), Caller(app, admin.token)
    first, _ = (ada.post("jobs", {"kind": "noop"}).json["id"] for _ in range(2))
    refused = ada.post("jobs", {"kind": "noop"})
    assert (refused.status_code, refused.json["code"]) == (429, "queue_quota_reached")
    assert "You have 2 jobs waiting" in refused.json["detail"]
    assert root.post("jobs", {"kind": "noop"}).status_code == 202
    ada.post(f"jobs/{first}/cancel")
    assert ada.post("jobs", {"kind": "noop"}).status_code == 202
    assert ada.post(f"jobs/{first}/retry").status_code == 429


def test_the_same_key_again_is_no_new_job_and_meets_no_quota(make_app, member):
    caller = Caller(make_app(most_queued=1), member.token)
    first = caller.post("jobs", {"kind": "noop"}, Idempotency_Key="k")
    assert caller.post("jobs", {"kind": "noop"}, Idempotency_Key="k").json["id"] == first.json["id"]


def test_a_member_may_not_ask_for_a_higher_priority_than_the_yard_allows(make_app, member, admin):
    app = make_app(most_priority=0)
    refused = Caller(app, member.token).post("jobs", {"kind": "noop", "priority": 1})
    assert (refused.status_code, refused.json["code"]) == (403, "priority_too_high")
    assert Caller(app, member.token).post("jobs", {"kind": "noop", "priority": -1}).status_code == 202
    assert Caller(app, admin.token).post("jobs", {"kind": "noop", "priority": 1}).status_code == 202
