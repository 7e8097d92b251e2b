"""What the API tells of use and of limits."""

from __future__ import annotations

import pytest

from tests.api.calling import Caller


def test_members_see_their_own_use_and_administrators_everybodys(ada, bob, root, hand, submit_noop):
    submit_noop()
    hand.take_up()
    hand.clock.advance(1800)
    (mine,) = ada.get("usage").json["items"]
    assert mine["device_hours"] == pytest.approx(0.5, rel=0.05)
    assert sum(day["device_hours"] for day in mine["days"]) == pytest.approx(mine["device_hours"])
    assert len(mine["days"]) == 14
    assert bob.get("usage").json["items"] == []
    assert [use["person"] for use in root.get("usage").json["items"]] == [mine["person"]]
    assert len(ada.get("usage?days=2").json["items"][0]["days"]) == 2


def test_limits_are_told_with_what_is_used_of_them(make_app, member, hand, submit_noop):
    caller = Caller(make_app(most_queued=3, most_running=2), member.token)
    submit_noop()
    hand.take_up()
    caller.post("jobs", {"kind": "noop"})
    limits = {each["name"]: (each["used"], each["most"]) for each in caller.get("quotas").json["items"]}
    assert limits["queued"] == (1, 3)
    assert limits["running"] == (1, 2)
    assert limits["week_hours"][1] is None
    assert limits["dataset_bytes"][0] == 0
