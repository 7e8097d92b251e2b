"""Following a job as server-sent events."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from api.yard import the_yard
from records.retries import Outcome
from tests.api.calling import Caller


class Message(NamedTuple):
    """One server-sent event."""

    event: str
    data: dict
    id: str | None


def parse(text):
    """The messages in the text of a stream."""
    messages = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            messages.append(Message(fields["event"], json.loads(fields["data"]), fields.get("id")))
    return messages


def follow(caller, job_id, last_id=None):
    """All messages of a stream that ends."""
    headers = {"Last_Event_ID": last_id} if last_id else {}
    reply = caller.get(f"jobs/{job_id}/stream", **headers)
    assert reply.status_code == 200
    assert reply.content_type == "text/event-stream; charset=utf-8"
    return parse(reply.text)


@contextmanager
def opened(caller, job_id, **headers):
    """An open stream: a function that reads on until a message answers a question."""
    reply = caller.send("GET", f"jobs/{job_id}/stream", headers=headers, buffered=False)
    assert reply.status_code == 200, reply.text
    chunks = reply.iter_encoded()

    def read_until(event):
        deadline = time.monotonic() + 20
        for chunk in chunks:  # at the latest a keep-alive comes
            for message in parse(chunk.decode()):
                if message.event == event:
                    return message
            assert time.monotonic() < deadline, f"no {event} came"
        raise AssertionError(f"the stream ended without {event}")

    try:
        yield read_until
    finally:
        reply.close()


def points(messages):
    """Every point in messages of metrics, by name and step."""
    return {(p["name"], p["step"]): p["value"] for m in messages if m.event == "metrics" for p in m.data["items"]}


def test_a_stream_of_a_finished_job_tells_all_and_ends(ada, ran):
    messages = follow(ada, ran)
    assert messages[-1] == Message("end", {"status": "succeeded"}, None)
    events = ada.get(f"jobs/{ran}/events").json["items"]
    told = [m for m in messages if m.event not in ("job", "metrics", "end")]
    assert [(m.event, m.id, m.data) for m in told] == [(e["kind"], str(e["id"]), e) for e in events]
    assert points(messages) == {
        (p["name"], p["step"]): p["value"] for p in ada.get(f"jobs/{ran}/metrics").json["items"]
    }
    (job,) = (m.data for m in messages if m.event == "job")
    assert job == ada.get(f"jobs/{ran}").json


def test_last_event_id_goes_on_behind_that_event(ada, ran):
    everything = follow(ada, ran)
    ids = [m.id for m in everything if m.event not in ("job", "metrics", "end")]
    for last in ids:
        rest = [m.id for m in follow(ada, ran, last) if m.event not in ("job", "metrics", "end")]
        assert rest == ids[ids.index(last) + 1 :]


def test_after_goes_on_behind_an_event_without_the_header(ada, ran):
    reply = ada.get(f"jobs/{ran}/stream?after=2")
    assert next(m.id for m in parse(reply.text) if m.id and "." not in m.id) == "3"


def test_the_id_of_metrics_goes_on_without_gap_or_double(ada, hand, submit_noop):
    job_id = submit_noop()
    claim = hand.take_up()
    hand.write_points(claim, "loss", {1: 1.0, 2: 0.5})
    hand.write_points(claim, "val/loss", {1: 2.0})
    with opened(ada, job_id) as read_until:
        seen = read_until("metrics")
    assert len(seen.data["items"]) == 3
    hand.write_points(claim, "loss", {3: 0.3})
    hand.write_points(claim, "val/loss", {2: 1.5})  # behind the last step of another metric
    hand.end(claim)
    assert points(follow(ada, job_id, seen.id)) == {("loss", 3): 0.3, ("val/loss", 2): 1.5}


def test_an_event_id_alone_leaves_no_gap_in_the_metrics(ada, hand, submit_noop):
    job_id = submit_noop()
    claim = hand.take_up()
    hand.write_points(claim, "loss", {1: 1.0})
    events = ada.get(f"jobs/{job_id}/events").json["items"]
    hand.write_points(claim, "loss", {2: 0.5})
    hand.end(claim)
    assert ("loss", 2) in points(follow(ada, job_id, str(events[-1]["id"])))


def test_steps_that_a_later_attempt_writes_again_are_told_again(ada, hand, submit_noop, clock):
    job_id = submit_noop()
    first = hand.take_up()
    hand.write_points(first, "loss", {1: 1.0, 2: 0.5, 3: 0.4})
    with opened(ada, job_id) as read_until:
        seen = read_until("metrics")
        hand.end(first, Outcome.interrupted("Stopped."))
        clock.advance(60)
        second = hand.take_up()
        hand.write_points(second, "loss", {2: 0.25})
        again = read_until("metrics")
    assert points([seen]) == {("loss", 1): 1.0, ("loss", 2): 0.5, ("loss", 3): 0.4}
    assert points([again]) == {("loss", 2): 0.25}
    hand.end(second)
    assert points(follow(ada, job_id, seen.id)) == {("loss", 2): 0.25}, "also for who was away meanwhile"


def test_a_stream_tells_what_happens_while_it_is_open(ada, hand, submit_noop):
    job_id = submit_noop()
    with opened(ada, job_id) as read_until:
        assert read_until("job").data["status"] == "queued"
        claim = hand.take_up()
        assert read_until("moved").data["to_status"] == "running"
        assert read_until("job").data["status"] == "running"
        hand.write_points(claim, "loss", {1: 1.0})
        assert read_until("metrics").data["items"][0]["value"] == 1.0
        hand.end(claim)
        assert read_until("job").data["status"] == "succeeded"
        assert read_until("end").data == {"status": "succeeded"}


def test_a_long_history_is_thinned_and_keeps_its_last_point(ada, hand, submit_noop):
    job_id = submit_noop()
    claim = hand.take_up()
    hand.write_points(claim, "loss", {step: 1.0 + (step % 7) for step in range(1, 5_001)})
    hand.end(claim)
    told = points(follow(ada, job_id))
    assert len(told) <= 1_001
    assert ("loss", 5_000) in told


def test_streams_are_capped_and_a_closed_one_makes_room(make_app, member, submit_noop):
    caller = Caller(make_app(max_streams=2), member.token)
    job_id = submit_noop()
    with opened(caller, job_id) as first, opened(caller, job_id):
        first("job")
        refused = caller.send("GET", f"jobs/{job_id}/stream", buffered=False)
        assert (refused.status_code, refused.json["code"]) == (429, "too_many_streams")
        assert int(refused.headers["Retry-After"]) > 0
        assert "Poll" in refused.json["detail"]
        assert caller.get(f"jobs/{job_id}").status_code == 200
    with opened(caller, job_id) as again:
        again("job")


def test_a_stream_that_was_never_read_gives_its_place_back(app, ada, submit_noop):
    with opened(ada, submit_noop()):
        assert the_yard(app).streams.taken == 1
    assert the_yard(app).streams.taken == 0
    ada.send("HEAD", "jobs/1/stream")
    assert the_yard(app).streams.taken == 0


def test_a_waiting_stream_holds_no_connection_to_the_database(app, ada, submit_noop):
    pool = the_yard(app).database.engine.pool
    with opened(ada, submit_noop()) as read_until:
        read_until("job")
        assert pool.checkedout() == 0


@pytest.mark.parametrize("last_id", ["x", "-1", "1.x", "1.W10", "9" * 30, "1.bnVsbA", "1.WzEsIHsiYSI6ICJiIn1d"])
def test_an_id_that_is_not_of_this_stream_is_refused(ada, ran, last_id):
    reply = ada.get(f"jobs/{ran}/stream", Last_Event_ID=last_id)
    assert (reply.status_code, reply.json["code"]) == (400, "invalid_request")


def test_places_are_given_back_once(app):
    slots = the_yard(app).streams
    release = slots.take()
    slots.take()
    threads = [threading.Thread(target=release) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slots.taken == 1


@pytest.mark.parametrize("change", ["token revoked", "person deactivated", "job made private", None])
def test_an_open_stream_ends_once_its_reader_may_not_see_the_job(
    ada, bob, root, submit_noop, database, clock, monkeypatch, change
):
    from api.routes import streams

    job_id = submit_noop()
    ada.send("PUT", f"jobs/{job_id}/visibility", json={"visibility": "public"})
    monkeypatch.setattr(streams, "LOOK_ASIDE_EVERY_S", 0.0)
    monkeypatch.setattr(streams, "LONGEST_S", 2.0 if change is None else 60.0)
    with opened(bob, job_id) as read_until:
        assert read_until("job").data["id"] == job_id
        if change == "token revoked":
            number = bob.get("tokens").json["items"][0]["id"]
            assert bob.send("DELETE", f"tokens/{number}").status_code == 204
        elif change == "person deactivated":
            assert root.send("PATCH", "users/bob", json={"active": False}).status_code == 200
        elif change == "job made private":
            assert ada.send("PUT", f"jobs/{job_id}/visibility", json={"visibility": "private"}).status_code == 200
        ada.send("PATCH", f"jobs/{job_id}", json={"note": "not for bob any more"})
        if change is None:
            assert read_until("job").data["note"] == "not for bob any more"
        else:
            with pytest.raises(AssertionError, match="the stream ended without"):
                read_until("end")
