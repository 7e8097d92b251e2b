"""Uploads over HTTP: in parts, broken off, resumed, lied about, and never somebody else's."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.yard import the_yard
from records.errors import DiskFull
from records.upload_parts import Writer
from tests.api.calling import Caller

PART = "application/offset+octet-stream"
CONTENT = bytes(range(256)) * 40


SIZE = len(CONTENT)


def begin(caller, size=SIZE, **more):
    reply = caller.post("uploads", {"name": "ants.zip", "size_bytes": size, **more})
    assert reply.status_code == 201, reply.json
    return reply.headers["Location"]


def part(caller, address, offset, data, **headers):
    return caller.send(
        "PATCH", address, headers={"Upload-Offset": str(offset), "Content-Type": PART, **headers}, data=data
    )


# ── going well ───────────────────────────────────────────────────────────────────────────────────────────────


def test_parts_add_up_and_the_last_is_answered_once_the_bytes_are_checked(ada, app):
    address = begin(ada, sha256=hashlib.sha256(CONTENT).hexdigest())
    for start in range(0, len(CONTENT), 4000):
        reply = part(ada, address, start, CONTENT[start : start + 4000])
        assert reply.status_code == 204
        assert int(reply.headers["Upload-Offset"]) == min(start + 4000, len(CONTENT))
    shown = ada.get(address).json
    assert (shown["offset"], shown["sha256"]) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert the_yard(app).blobs.path(shown["sha256"]).read_bytes() == CONTENT


def test_head_tells_where_to_go_on(ada):
    address = begin(ada)
    part(ada, address, 0, CONTENT[:1000])
    reply = ada.send("HEAD", address)
    assert (reply.status_code, reply.data) == (200, b"")
    assert (reply.headers["Upload-Offset"], reply.headers["Upload-Length"]) == ("1000", str(len(CONTENT)))
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Tus-Resumable"] == "1.0.0"


def test_the_same_key_and_body_give_the_same_upload(ada, bob):
    def send(caller, key, size=5):
        return caller.post("uploads", {"name": "a", "size_bytes": size}, Idempotency_Key=key)

    first, again = send(ada, "k"), send(ada, "k")
    assert first.json["id"] == again.json["id"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert send(ada, "k", 6).json["code"] == "idempotency_key_reused"
    assert send(bob, "k").json["id"] != first.json["id"]


def test_uploads_are_listed_and_dropped(ada):
    address = begin(ada)
    part(ada, address, 0, CONTENT[:10])
    (shown,) = ada.get("uploads").json["items"]
    assert (shown["address"], shown["offset"], shown["name"]) == (address, 10, "ants.zip")
    assert ada.send("DELETE", address).status_code == 204
    assert ada.get("uploads").json["items"] == []
    assert [r.status_code for r in (ada.get(address), part(ada, address, 10, b"x"))] == [404, 404]


# ── going wrong ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("offset", ["0", "999", "1001", "999999999999999999"])
def test_a_part_for_another_place_is_answered_with_the_right_one(ada, offset):
    address = begin(ada)
    part(ada, address, 0, CONTENT[:1000])
    reply = part(ada, address, offset, b"x")
    assert (reply.status_code, reply.json["code"], reply.headers["Upload-Offset"]) == (409, "wrong_offset", "1000")
    assert ada.get(address).json["offset"] == 1000


@pytest.mark.parametrize("offset", ["", "-1", "1.5", "0x10", "١", "9" * 30, "1 "])
def test_an_offset_that_is_no_number_is_refused(ada, offset):
    reply = part(ada, begin(ada), offset, b"x")
    assert (reply.status_code, reply.json["code"]) == (400, "invalid_request")


def test_a_part_that_is_longer_than_what_is_missing_is_refused_before_it_is_read(ada):
    address = begin(ada, size=100)
    reply = part(ada, address, 0, b"x" * 101)
    assert (reply.status_code, reply.json["code"]) == (413, "payload_too_large")
    assert ada.get(address).json["offset"] == 0


def test_a_body_of_unknown_length_is_cut_where_the_upload_ends(ada):
    address, read = begin(ada, size=100), []

    class Endless:
        def read(self, size=-1):
            read.append(size)
            return b"x" * size

    reply = ada.send(
        "PATCH",
        address,
        headers={"Upload-Offset": "0", "Content-Type": PART, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": Endless(), "wsgi.input_terminated": True},
    )
    assert (reply.status_code, reply.json["code"]) == (400, "invalid_request")
    assert ada.get(address).json["offset"] <= 100
    assert sum(read) <= 101, "it is not read any further"


def test_what_came_before_a_broken_connection_is_kept(ada):
    address = begin(ada)
    reply = ada.send(
        "PATCH",
        address,
        headers={"Upload-Offset": "0", "Content-Type": PART},
        environ_overrides={"wsgi.input": io.BytesIO(CONTENT[:700]), "CONTENT_LENGTH": "9000"},
    )
    assert reply.status_code == 400
    assert "700 bytes of the upload are kept" in reply.json["detail"]
    assert part(ada, address, 700, CONTENT[700:]).status_code == 204
    assert ada.get(address).json["sha256"] == hashlib.sha256(CONTENT).hexdigest()


def test_other_bytes_than_were_announced_are_dropped(ada):
    address = begin(ada, size=4, sha256=hashlib.sha256(b"ants").hexdigest())
    reply = part(ada, address, 0, b"bees")
    assert (reply.status_code, reply.json["code"]) == (400, "upload_damaged")
    assert ada.get(address).json["offset"] == 0
    assert part(ada, address, 0, b"ants").status_code == 204


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/octet-stream", ""])
def test_a_part_is_announced_as_one(ada, kind):
    reply = ada.send("PATCH", begin(ada), headers={"Upload-Offset": "0", "Content-Type": kind}, data=b"x")
    assert (reply.status_code, reply.json["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a"},
        {"name": "a", "size_bytes": 0},
        {"name": "a", "size_bytes": -5},
        {"name": "a", "size_bytes": 2**62},
        {"name": "", "size_bytes": 5},
        {"name": "a", "size_bytes": "5"},
        {"name": "a", "size_bytes": 5, "sha256": "xyz"},
        {"name": "a", "size_bytes": 5, "owner": 1},
    ],
)
def test_an_upload_that_makes_no_sense_is_refused_with_the_field(ada, body):
    reply = ada.post("uploads", body)
    assert reply.status_code == 422
    assert reply.json["problems"]


def test_an_upload_may_not_be_larger_than_the_yard_takes_its_disk_or_the_quota(make_app, member):
    def send(size, **settings):
        return Caller(make_app(**settings), member.token).post("uploads", {"name": "a", "size_bytes": size})

    assert send(101, max_upload_bytes=100).status_code == 413
    assert send(10**15, max_upload_bytes=10**16).json["code"] == "not_available"
    assert send(101, quota_dataset_bytes=100).json["code"] == "quota_reached"


def test_bodies_beyond_the_limit_on_json_are_still_refused_everywhere_else(make_app, member):
    caller = Caller(make_app(max_body_bytes=1000), member.token)
    address = begin(caller, size=5000)
    assert part(caller, address, 0, b"x" * 5000).status_code == 204
    assert caller.post("uploads", {"name": "a" * 2000, "size_bytes": 5}).status_code == 413
    reply = caller.send("POST", "jobs", headers={"Content-Type": PART}, data=b"x" * 5000)
    assert reply.status_code == 413


def test_a_full_disk_is_not_the_servers_fault(ada, monkeypatch):
    def full(self, data):
        raise DiskFull("No room on the yard's disk for more of this upload.")

    address = begin(ada)
    monkeypatch.setattr(Writer, "write", full)
    reply = part(ada, address, 0, b"x")
    assert (reply.status_code, reply.json["code"]) == (503, "not_available")
    assert "No room" in reply.json["detail"]


# ── at once ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_parts_that_race_for_one_place_one_goes_on(app, member):
    address = begin(Caller(app, member.token), size=8 * 1000)

    def send(number):
        return part(Caller(app, member.token), address, 0, bytes([number]) * 1000)

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(send, range(8)))
    statuses = sorted(reply.status_code for reply in replies)
    assert statuses[0] == 204
    assert set(statuses[1:]) <= {409, 429}
    path = the_yard(app).parts.folder / address.rsplit("/", 1)[1]
    assert path.stat().st_size == 1000
    assert len(set(path.read_bytes())) == 1, "nobody's bytes are mixed with another's"


def test_a_process_receives_only_so_many_at_once_and_nothing_is_lost(make_app, member):
    app = make_app(max_upload_streams=1)
    caller = Caller(app, member.token)
    first, second = begin(caller), begin(caller)
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        def read(self, size=-1):
            begun.set()
            go_on.wait(30)
            return b""

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(
            lambda: Caller(app, member.token).send(
                "PATCH",
                first,
                headers={"Upload-Offset": "0", "Content-Type": PART},
                environ_overrides={"wsgi.input": Slow(), "CONTENT_LENGTH": "5"},
            )
        )
        assert begun.wait(30)
        reply = part(caller, second, 0, b"x")
        go_on.set()
        assert held.result().status_code == 400
    assert (reply.status_code, reply.json["code"], reply.headers["Retry-After"]) == (429, "too_many_uploads", "2")
    assert part(caller, second, 0, b"x").status_code == 204


# ── whose ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_persons_upload_is_as_good_as_absent(ada, bob, root, nobody):
    address = begin(ada)
    absent = "/api/v1/uploads/" + os.urandom(16).hex()
    for caller in (bob, root):
        for where in (address, absent):
            replies = [
                caller.get(where),
                caller.send("HEAD", where),
                part(caller, where, 0, CONTENT),
                caller.send("DELETE", where),
            ]
            assert [reply.status_code for reply in replies] == [404] * 4
    assert nobody.get(address).status_code == 401
    assert bob.get("uploads").json["items"] == []
    assert ada.get(address).json["offset"] == 0


@pytest.mark.parametrize("name", ["..", "../../secret", "%2e%2e", "A" * 32, "a" * 31, "a" * 33, "%00", "x"])
def test_only_an_id_is_an_address(ada, name):
    assert ada.get(f"uploads/{name}").status_code == 404
    assert part(ada, f"uploads/{name}", 0, b"x").status_code in (404, 415)
