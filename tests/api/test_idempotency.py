"""The Idempotency-Key: sending again never makes a second job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.calling import Caller


def test_the_same_key_and_body_give_the_same_job(ada):
    first = ada.post("jobs", {"kind": "noop"}, Idempotency_Key="k1")
    again = ada.post("jobs", {"kind": "noop"}, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json["id"] == first.json["id"]
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert len(ada.get("jobs").json["items"]) == 1


def test_the_same_key_with_another_body_is_refused(ada):
    ada.post("jobs", {"kind": "noop"}, Idempotency_Key="k1")
    reply = ada.post("jobs", {"kind": "noop", "steps": 2}, Idempotency_Key="k1")
    assert (reply.status_code, reply.json["code"]) == (422, "idempotency_key_reused")


def test_keys_of_two_people_have_nothing_to_do_with_each_other(ada, bob):
    ids = {caller.post("jobs", {"kind": "noop"}, Idempotency_Key="k1").json["id"] for caller in (ada, bob)}
    assert len(ids) == 2


@pytest.mark.parametrize("key", ["", "x" * 201, "with space", "ümlaut"])
def test_a_key_that_makes_no_sense_is_refused(ada, key):
    reply = ada.post("jobs", {"kind": "noop"}, Idempotency_Key=key)
    assert (reply.status_code, reply.json["code"]) == (400, "invalid_request")
    assert ada.get("jobs").json["items"] == []


def test_requests_that_race_with_one_key_make_one_job(app, member):
    def submit(_):
        return Caller(app, member.token).post("jobs", {"kind": "noop"}, Idempotency_Key="race")

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(submit, range(24)))
    assert {reply.status_code for reply in replies} == {202}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert sum("Idempotent-Replayed" not in reply.headers for reply in replies) == 1
    assert len(Caller(app, member.token).get("jobs").json["items"]) == 1
