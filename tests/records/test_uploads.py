"""Bytes that come in parts: their rows, their growing files, and what becomes of them."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from itertools import chain

import pytest

from records import uploads
from records.blobs import FolderBlobs
from records.dropped import rested
from records.errors import Conflict, DiskFull, NotFound, QuotaReached, WrongOffset
from records.quotas import Quota
from records.upload_parts import UploadParts
from tests.records.own_sets import Sets, digest

ID = "a" * 32


@pytest.fixture
def sets(database, clock):
    """A yard with anna, bob and their datasets."""
    return Sets(database, clock)


@pytest.fixture
def blobs(tmp_path):
    """An empty blob store."""
    return FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def parts(blobs):
    """No upload under way."""
    return UploadParts(blobs)


def send(parts, offset, *chunks, more=()):
    with parts.writing(ID, offset) as writer:
        for chunk in chain(chunks, more):
            writer.write(chunk)
        return writer.offset


# ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_parts_add_up_to_a_blob_of_the_same_bytes(parts, blobs):
    assert parts.size(ID) == 0
    assert send(parts, 0, b"one ", b"two ") == 8
    assert parts.size(ID) == 8
    assert send(parts, 8, b"three") == 13
    blob = parts.become_blob(ID)
    assert (blob.sha256, blob.size_bytes) == (hashlib.sha256(b"one two three").hexdigest(), 13)
    assert blobs.path(blob.sha256).read_bytes() == b"one two three"
    assert parts.size(ID) == 0


@pytest.mark.parametrize("offset", [0, 7, 9, 10**15])
def test_bytes_for_another_place_are_refused_with_the_right_one(parts, offset):
    send(parts, 0, b"12345678")
    with pytest.raises(WrongOffset, match="byte 8") as caught:
        send(parts, offset, b"x")
    assert caught.value.offset == 8
    assert parts.size(ID) == 8


def test_of_two_senders_at_one_place_one_goes_on_and_the_other_is_told(parts):
    with parts.writing(ID, 0) as slow:
        with parts.writing(ID, 0) as quick:
            quick.write(b"quick")
        with pytest.raises(WrongOffset) as caught:
            slow.write(b"slow")
    assert caught.value.offset == 5
    assert (parts.folder / ID).read_bytes() == b"quick"


def test_what_came_before_a_break_stays(parts):
    def broken():
        yield b"came"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        send(parts, 0, more=broken())
    assert parts.size(ID) == 4


def test_a_full_disk_keeps_what_came_before_and_nothing_by_halves(parts, monkeypatch):
    real, calls = os.pwrite, []

    def full(fd, data, at):
        calls.append(at)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(fd, data[:2], at)

    send(parts, 0, b"before")
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(DiskFull):
        send(parts, 6, b"after")
    assert parts.size(ID) == 6


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 31, "A" * 32, "", "a/../" + "a" * 27])
def test_only_an_id_names_a_file(parts, name):
    with pytest.raises(ValueError, match="no upload's id"):
        parts.size(name)


def test_a_file_that_somebody_else_has_stored_is_told(parts):
    send(parts, 0, b"x")
    parts.become_blob(ID)
    with pytest.raises(FileNotFoundError):
        parts.become_blob(ID)


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_upload_belongs_to_its_sender(sets):
    upload_id = sets.upload()
    with sets.database.read() as session:
        assert uploads.find_upload(session, upload_id, sets.anna.id).id == upload_id
        assert uploads.find_upload(session, upload_id, None).id == upload_id
        assert [row.id for row in uploads.list_uploads(session, sets.anna.id, limit=5)] == [upload_id]
        assert uploads.list_uploads(session, sets.bob.id, limit=5) == []
        with pytest.raises(NotFound) as hidden:
            uploads.find_upload(session, upload_id, sets.bob.id)
        with pytest.raises(NotFound) as absent:
            uploads.find_upload(session, "f" * 32, sets.bob.id)
    assert hidden.value.text.replace(upload_id, "") == absent.value.text.replace("f" * 32, "")


def test_an_upload_over_the_quota_is_refused_before_it_begins(sets):
    tight = Quota(dataset_bytes=100, datasets=1, images=1)

    def begin(size):
        with sets.database.write() as session:
            return uploads.begin_upload(
                session, sets.anna.id, "a", size_bytes=size, sha256=None, quota=tight, at=sets.clock()
            )

    begin(60)
    with pytest.raises(QuotaReached, match="60 bytes; with 41 more"):
        begin(41)
    begin(40)


def test_uploads_that_race_for_the_last_room_do_not_share_it(sets, race):
    tight = Quota(dataset_bytes=100, datasets=1, images=1)

    def begin():
        with sets.database.write() as session:
            return uploads.begin_upload(
                session, sets.anna.id, "a", size_bytes=60, sha256=None, quota=tight, at=sets.clock()
            )

    results = race(begin, begin, begin)
    assert sorted(type(r).__name__ for r in results) == ["QuotaReached", "QuotaReached", "UploadTable"]


def test_an_upload_that_nobody_touches_for_a_day_is_dropped(sets):
    old, used, whole = sets.upload(whole=False), sets.upload(), sets.upload()
    sets.begin(upload_id=used)
    sets.clock.now += timedelta(hours=23)
    fresh = sets.upload(whole=False)
    sets.clock.now += timedelta(hours=1, seconds=1)
    assert expire(sets) == sorted([old, whole])
    assert [sets.upload_row(i) is None for i in (old, whole, used, fresh)] == [True, True, False, False]
    with sets.database.read() as session:
        assert rested(session, before=sets.clock.advance(1)) == [digest(whole)]


def test_an_upload_of_a_refused_version_is_dropped_a_day_later_and_the_version_stays(sets):
    version = sets.begin()
    sets.refuse(sets.claim())
    sets.clock.now += timedelta(days=1, seconds=1)
    assert expire(sets) == [version.upload_id]
    assert sets.version(version.id).upload_id is None


def test_an_upload_is_kept_while_a_version_is_made_from_it(sets):
    version = sets.begin()
    with sets.database.write() as session, pytest.raises(Conflict, match="being checked"):
        uploads.delete_upload(session, version.upload_id, sets.anna.id, at=sets.clock())
    sets.begin("wasps", upload_id=version.upload_id)
    sets.take_in()
    assert sets.upload_row(version.upload_id) is not None, "another version is still made from it"
    sets.take_in(text="two")
    assert sets.upload_row(version.upload_id) is None


def test_an_upload_is_deleted_by_its_sender(sets):
    upload_id = sets.upload()
    with sets.database.write() as session, pytest.raises(NotFound):
        uploads.delete_upload(session, upload_id, sets.bob.id, at=sets.clock())
    with sets.database.write() as session:
        uploads.delete_upload(session, upload_id, sets.anna.id, at=sets.clock())
    assert sets.upload_row(upload_id) is None


def test_only_uploads_under_way_have_a_file(sets):
    whole, part = sets.upload(), sets.upload(whole=False)
    with sets.database.read() as session:
        assert uploads.known_uploads(session, [whole, part, "f" * 32]) == {part}


def expire(sets):
    with sets.database.write() as session:
        return uploads.expire_uploads(session, at=sets.clock())
