"""Room made for a job of higher priority: asked on the heartbeat, and it costs no retry."""

from __future__ import annotations

from records.retries import Outcome
from records.rules import Rules

ALLOWED = Rules(preempts=True, least_run_s=100)
GAVE_WAY = Outcome.interrupted("It made room for a job of higher priority.", code="preempted")


def test_a_running_job_is_asked_to_make_room_once_it_has_run_long_enough(yard):
    claim = yard.start(yard.register())
    high = yard.submit(priority=5)
    yard.clock.advance(99)
    yard.run_pass(ALLOWED)
    assert not yard.guard(claim).make_room
    yard.clock.advance(1)
    yard.run_pass(ALLOWED)
    assert yard.guard(claim).make_room
    assert yard.job(high).reason_code == "making_room"
    yard.run_pass(ALLOWED)
    assert len(yard.events(claim.job_id, "preempted")) == 1


def test_nobody_is_asked_unless_the_yard_allows_it(yard):
    claim = yard.start(yard.register())
    yard.submit(priority=5)
    yard.clock.advance(10_000)
    yard.guard(claim)
    yard.run_pass()
    assert not yard.guard(claim).make_room


def test_it_goes_back_to_the_queue_without_spending_a_retry_and_the_other_has_the_device(yard):
    worker = yard.register()
    claim = yard.start(worker)
    high = yard.submit(priority=5)
    yard.clock.advance(200)
    yard.run_pass(ALLOWED)
    assert yard.finish(claim, GAVE_WAY) == "queued"
    assert (yard.job(claim.job_id).reason_code, yard.job(claim.job_id).retries_left) == ("preempted", 2)
    assert yard.start_again(worker).job_id == high
    assert yard.attempt_statuses(claim.job_id) == ["interrupted"]


def test_it_is_not_sent_back_again_before_it_has_run_long_enough_once_more(yard):
    worker = yard.register()
    claim = yard.start(worker)
    yard.submit(priority=5)
    yard.clock.advance(200)
    yard.run_pass(ALLOWED)
    yard.finish(claim, GAVE_WAY)
    yard.finish(yard.start_again(worker), Outcome.succeeded())
    again = yard.start_again(worker)
    assert again.job_id == claim.job_id
    yard.submit(priority=9)
    yard.run_pass(ALLOWED)
    assert not yard.guard(again).make_room
