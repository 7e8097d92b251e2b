"""The cache of ready pictures stays below its limit, and nobody who reads is disturbed."""

from __future__ import annotations

import os

import numpy as np
import pytest

from ml.datasets.ready import LOCK as PICTURES_LOCK
from ml.datasets.ready import ReadyPictures
from ml.sizing import Sizing
from worker.ready_cache import LOCK, ready_cache

SIZING = Sizing(64, 64, 3)
COUNT = 20
ABOUT = COUNT * SIZING.picture_bytes


def fill(folder, digest: str, *, used_at: int):
    """Pictures of one dataset, last used at a time; returns their folder and the pictures."""
    before = {path.name for path in folder.iterdir()}
    with ReadyPictures(folder, digest=digest, sizing=SIZING, count=COUNT) as ready, ready.filling(lambda: None):
        ready.write(np.arange(COUNT), np.full((COUNT, *SIZING.shape), 7, np.uint8))
        (path,) = (path for path in folder.iterdir() if path.is_dir() and path.name not in before)
        os.utime(path, (used_at, used_at))
        return path, ready.read()


def test_both_sides_hold_the_same_lock():
    assert LOCK == PICTURES_LOCK


def test_what_was_used_least_lately_goes_first(tmp_path):
    folder = ready_cache(tmp_path, limit_bytes=0)
    assert folder == tmp_path / "ready"
    old, read = fill(folder, "old", used_at=100)
    older, _ = fill(folder, "older", used_at=50)
    new, _ = fill(folder, "new", used_at=200)
    ready_cache(tmp_path, limit_bytes=int(2.5 * ABOUT))
    assert (old.exists(), older.exists(), new.exists()) == (True, False, True)
    ready_cache(tmp_path, limit_bytes=int(1.5 * ABOUT))
    assert (old.exists(), new.exists()) == (False, True)
    assert (read == 7).all(), "a job that has it open reads on"


def test_what_is_opened_again_counts_as_used(tmp_path):
    folder = ready_cache(tmp_path, limit_bytes=0)
    one, _ = fill(folder, "one", used_at=100)
    other, _ = fill(folder, "other", used_at=200)
    with ReadyPictures(folder, digest="one", sizing=SIZING, count=COUNT):
        pass
    ready_cache(tmp_path, limit_bytes=int(1.5 * ABOUT))
    assert (one.exists(), other.exists()) == (True, False)


def test_places_that_nobody_filled_do_not_count(tmp_path):
    folder = ready_cache(tmp_path, limit_bytes=0)
    with ReadyPictures(folder, digest="sparse", sizing=Sizing(512, 512, 3), count=10_000):
        pass
    ready_cache(tmp_path, limit_bytes=1_000_000)
    assert sum(path.is_dir() for path in folder.iterdir()) == 1


@pytest.mark.parametrize("name", [".gone-abc", ".abc.part"])
def test_what_a_process_left_halfway_goes_whatever_the_limit(tmp_path, name):
    folder = ready_cache(tmp_path, limit_bytes=0)
    (folder / name).mkdir()
    (folder / name / "pictures").write_bytes(b"x")
    ready_cache(tmp_path, limit_bytes=10**12)
    assert not (folder / name).exists()


def test_an_attempt_is_given_the_cache(place, place_job, in_thread, yard):
    from worker.supervisor import supervise

    job_id, attempt_id = place_job(steps=1)
    in_thread(supervise, place, attempt_id).join(60)
    assert yard.job(job_id).status == "succeeded"
    assert (place.settings.cache_folder / "ready").is_dir()
