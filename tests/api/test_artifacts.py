"""The files of a job: whole, in ranges, conditional, and never dangerous to look at."""

from __future__ import annotations

import hashlib

import pytest

CONTENT = bytes(range(256)) * 4


@pytest.fixture
def file(ada, hand, submit_noop, tmp_path):
    """The address of an artifact of 1,024 bytes."""
    job_id = submit_noop()
    claim = hand.take_up()
    hand.keep(claim, "model.keras", CONTENT, "application/octet-stream", tmp_path)
    return f"jobs/{job_id}/artifacts/model.keras"


def test_artifacts_are_listed_by_name(ada, ran):
    (item,) = ada.get(f"jobs/{ran}/artifacts").json["items"]
    digest = hashlib.sha256(b"epoch,loss\n1,0.5\n").hexdigest()
    assert (item["name"], item["media_type"], item["size_bytes"]) == ("history.csv", "text/csv", 17)
    assert item["sha256"] == digest


def test_an_artifact_comes_whole_with_its_hash_as_etag(ada, file):
    reply = ada.get(file)
    assert (reply.status_code, reply.data) == (200, CONTENT)
    assert reply.headers["ETag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert reply.headers["Content-Length"] == "1024"


def test_head_tells_about_an_artifact_without_its_bytes(ada, file):
    reply = ada.send("HEAD", file)
    assert (reply.status_code, reply.data, reply.headers["Content-Length"]) == (200, b"", "1024")


@pytest.mark.parametrize(
    ("asked", "part", "said"),
    [
        ("bytes=0-9", CONTENT[:10], "bytes 0-9/1024"),
        ("bytes=1000-", CONTENT[1000:], "bytes 1000-1023/1024"),
        ("bytes=-24", CONTENT[-24:], "bytes 1000-1023/1024"),
        ("bytes=1000-5000", CONTENT[1000:], "bytes 1000-1023/1024"),
        ("bytes=-5000", CONTENT, "bytes 0-1023/1024"),
    ],
)
def test_a_range_gives_that_part(ada, file, asked, part, said):
    reply = ada.get(file, Range=asked)
    assert (reply.status_code, reply.headers["Content-Range"]) == (206, said)
    assert reply.data == part
    assert reply.headers["Content-Length"] == str(len(part))


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(ada, file, asked):
    reply = ada.get(file, Range=asked)
    assert (reply.status_code, reply.json["code"]) == (416, "range_not_satisfiable")
    assert reply.headers["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=9-1", "bytes=x", "nonsense"])
def test_a_range_that_is_not_understood_gives_the_whole_file(ada, file, asked):
    reply = ada.get(file, Range=asked)
    assert (reply.status_code, reply.data) == (200, CONTENT)


def test_a_file_that_one_has_is_not_sent_again(ada, file):
    etag = ada.get(file).headers["ETag"]
    for headers in ({}, {"Range": "bytes=0-9"}):
        reply = ada.get(file, If_None_Match=etag, **headers)
        assert (reply.status_code, reply.data) == (304, b"")


def test_if_range_gives_the_part_only_of_the_same_file(ada, file):
    etag = ada.get(file).headers["ETag"]
    assert ada.get(file, Range="bytes=0-9", If_Range=etag).status_code == 206
    other = ada.get(file, Range="bytes=0-9", If_Range='"other"')
    assert (other.status_code, other.data) == (200, CONTENT)


@pytest.mark.parametrize(
    ("name", "media_type", "inline"),
    [
        ("curves.png", "image/png", True),
        ("run.json", "application/json", True),
        ("log.txt", "text/plain; charset=utf-8", True),
        ("page.html", "text/html", False),
        ("drawing.svg", "image/svg+xml", False),
        ("odd.bin", "not a media type\r\nX-Evil: 1", False),
    ],
)
def test_only_harmless_files_are_shown_and_all_in_a_sandbox(ada, hand, submit_noop, tmp_path, name, media_type, inline):
    job_id = submit_noop()
    hand.keep(hand.take_up(), name, b"<script>", media_type, tmp_path)
    reply = ada.get(f"jobs/{job_id}/artifacts/{name}")
    assert reply.status_code == 200
    assert reply.headers["Content-Disposition"].startswith("inline" if inline else "attachment")
    assert name in reply.headers["Content-Disposition"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    assert "X-Evil" not in reply.headers


@pytest.mark.parametrize(
    "name",
    ["..", "../secret", "%2e%2e%2fsecret", "a/b", "..%5c..", "%00", "a..b", ".hidden", "x" * 500, "absent", "model"],
)
def test_a_name_that_is_not_there_is_not_found(ada, file, name):
    reply = ada.get(file.replace("model.keras", name))
    assert (reply.status_code, reply.content_type) == (404, "application/problem+json")


def test_near_names_are_suggested(ada, file):
    assert "Did you mean model.keras" in ada.get(f"{file}s").json["detail"]


def test_an_empty_file_is_a_file(ada, hand, submit_noop, tmp_path):
    job_id = submit_noop()
    hand.keep(hand.take_up(), "empty.txt", b"", "text/plain", tmp_path)
    reply = ada.get(f"jobs/{job_id}/artifacts/empty.txt")
    assert (reply.status_code, reply.data, reply.headers["Content-Length"]) == (200, b"", "0")


def test_a_file_whose_bytes_are_gone_is_not_available(ada, file, hand):
    hand.blobs.delete(hashlib.sha256(CONTENT).hexdigest())
    reply = ada.get(file)
    assert (reply.status_code, reply.json["code"]) == (503, "not_available")
    assert "Retry-After" in reply.headers
