"""Blobs of dropped checkpoints go, but never one that is named or fresh."""

from __future__ import annotations

from records.artifacts import add_artifact
from records.clock import utc_now
from worker.leftovers import Leftovers


def test_only_blobs_that_rest_and_that_no_row_names_are_deleted(place, submit_noop, tmp_path):
    blobs = {}
    for name in ("named", "free"):
        (tmp_path / name).write_text(name)
        blobs[name] = place.blobs.put_file(tmp_path / name)
    job_id = submit_noop()
    with place.database.write() as session:
        add_artifact(session, job_id, blobs["named"], name="a", kind="k", media_type="m/m", at=utc_now())
    leftovers = Leftovers()
    leftovers.add(blob.sha256 for blob in blobs.values())
    leftovers.sweep(place.database, place.blobs)
    assert all(place.blobs.path(blob.sha256).exists() for blob in blobs.values())
    leftovers.sweep(place.database, place.blobs, rest_s=-1)
    assert place.blobs.path(blobs["named"].sha256).exists()
    assert not place.blobs.path(blobs["free"].sha256).exists()
