"""What was dropped goes after a while, but never what is named or fresh."""

from __future__ import annotations

import os
import time

import pytest

from records.artifacts import add_artifact
from records.clock import utc_now
from records.dropped import drop, rested
from records.quotas import Quota
from records.upload_parts import UploadParts
from records.uploads import begin_upload
from worker.leftovers import sweep_blobs, sweep_uploads

DAYS = 2 * 24 * 3600


@pytest.fixture
def store(place, tmp_path):
    """`store(text)`: store a blob and drop its address; the blob."""

    def store_one(text):
        (tmp_path / "source").write_text(text)
        blob = place.blobs.put_file(tmp_path / "source")
        with place.database.write() as session:
            drop(session, [blob.sha256], at=utc_now())
        return blob

    return store_one


def remembered(place):
    with place.database.read() as session:
        return rested(session, before=utc_now())


def test_only_blobs_that_rest_and_that_no_row_names_are_deleted(place, store, submit_noop):
    named, free = store("named"), store("free")
    job_id = submit_noop()
    with place.database.write() as session:
        add_artifact(session, job_id, named, name="a", kind="k", media_type="m/m", at=utc_now())
    sweep_blobs(place.database, place.blobs)
    assert all(place.blobs.path(blob.sha256).exists() for blob in (named, free))
    assert remembered(place) == [named.sha256, free.sha256]
    sweep_blobs(place.database, place.blobs, rest_s=-1)
    assert place.blobs.path(named.sha256).exists()
    assert not place.blobs.path(free.sha256).exists()
    assert remembered(place) == []


def test_a_blob_that_was_stored_again_since_it_was_dropped_stays_and_is_looked_at_again(place, store, tmp_path):
    blob = store("again")
    os.utime(place.blobs.path(blob.sha256), (1, 1))
    (tmp_path / "source").write_text("again")
    place.blobs.put_file(tmp_path / "source")  # somebody else, who has not named it yet
    with place.database.write() as session:
        session.connection().exec_driver_sql("UPDATE dropped_blobs SET dropped_at = '2020-01-01 00:00:00+00:00'")
    sweep_blobs(place.database, place.blobs)
    assert place.blobs.path(blob.sha256).read_text() == "again"
    assert remembered(place) == [blob.sha256]


def test_files_of_uploads_go_with_their_rows_and_those_without_a_row_after_a_day(place, member):
    parts = UploadParts(place.blobs)
    with place.database.write() as session:
        live = begin_upload(
            session, member.person.id, "a", size_bytes=9, sha256=None, quota=Quota(100, 1, 1), at=utc_now()
        ).id
    expired, orphan, fresh_orphan = "a" * 32, "b" * 32, "c" * 32
    for upload_id in (live, expired, orphan, fresh_orphan):
        with parts.writing(upload_id, 0) as writer:
            writer.write(b"x")
    for upload_id in (live, orphan):
        os.utime(parts.folder / upload_id, (time.time() - DAYS,) * 2)
    sweep_uploads(place.database, place.blobs, [expired])
    assert sorted(path.name for path in parts.folder.iterdir()) == sorted([live, fresh_orphan])
