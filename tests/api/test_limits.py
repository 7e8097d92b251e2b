"""Counting what people read, by a clock that the test moves."""

from __future__ import annotations

import math

import pytest

from api import limits
from api.limits import LimitReached, ReadLimits
from tests.api.calling import Caller

MIDNIGHT = 1_767_312_000.0


def read(counter, times, who="person:1", now=MIDNIGHT):
    """Read so often."""
    for _ in range(times):
        counter.count(who, now)


def test_as_many_reads_pass_as_the_limit_says():
    counter = ReadLimits("3/minute")
    read(counter, 3)
    with pytest.raises(LimitReached, match="More than 3 per 1 minute requests"):
        read(counter, 1)
    read(counter, 3, who="person:2")


def test_a_window_ends_for_everybody_at_the_full_minute():
    counter = ReadLimits("3/minute")
    read(counter, 3, now=MIDNIGHT + 50)
    with pytest.raises(LimitReached) as refused:
        read(counter, 1, now=MIDNIGHT + 59.5)
    assert refused.value.wait_s == 1
    read(counter, 3, now=MIDNIGHT + 60)
    with pytest.raises(LimitReached) as refused:
        read(counter, 1, now=MIDNIGHT + 60)
    assert refused.value.wait_s == 60


def test_of_several_limits_each_holds():
    counter = ReadLimits("2/second; 3/minute")
    read(counter, 2)
    with pytest.raises(LimitReached, match="2 per 1 second"):
        read(counter, 1)
    read(counter, 1, now=MIDNIGHT + 1)
    with pytest.raises(LimitReached, match="3 per 1 minute"):
        read(counter, 1, now=MIDNIGHT + 2)


def test_addresses_without_end_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(limits, "MOST_COUNTED", 5)
    counter = ReadLimits("1/minute")
    for n in range(5):
        read(counter, 1, who=f"address:{n}")
    with pytest.raises(LimitReached):
        read(counter, 1, who="address:4")
    read(counter, 1, who="address:5")  # the sixth: all are counted anew
    read(counter, 1, who="address:4")
    with pytest.raises(LimitReached):
        read(counter, 1, who="address:5")


def test_who_was_refused_may_read_again_after_the_time_told(make_app, member, clock):
    ada = Caller(make_app(rate_limit="2/minute"), member.token)
    assert [ada.get("me").status_code for _ in range(3)] == [200, 200, 429]
    refused = ada.get("me")
    wait_s = int(refused.headers["Retry-After"])
    assert wait_s == 60 - math.floor(clock().timestamp() % 60)
    assert refused.json["detail"] == "More than 2 per 1 minute requests. Wait, then go on more slowly."
    clock.advance(wait_s)
    assert ada.get("me").status_code == 200


def test_reading_does_not_use_up_writing(make_app, member):
    ada = Caller(make_app(rate_limit="2/minute", redis_url=None), member.token)
    assert [ada.get("me").status_code for _ in range(3)] == [200, 200, 429]
    assert ada.post("jobs/7/cancel").status_code == 404
