"""Pictures that are kept ready: filled once, shared, and never believed when nobody knows whether they are whole."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ml.datasets import ready as module
from ml.datasets.ready import ReadyPictures
from ml.sizing import Sizing
from records.errors import DiskFull

SIZING = Sizing(4, 6, 3)
PICTURES = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)


def never() -> None:
    """Nobody asks to stop."""


def open_cache(cache: Path, *, digest: str = "a", sizing: Sizing = SIZING, count: int = 5) -> ReadyPictures:
    return ReadyPictures(cache, digest=digest, sizing=sizing, count=count)


def fill(cache: Path, rows: list[int], **which: object) -> None:
    with open_cache(cache, **which) as ready, ready.filling(never):
        ready.write(np.array(rows), PICTURES[rows])


def missing(cache: Path, **which: object) -> list[int]:
    with open_cache(cache, **which) as ready, ready.filling(never):
        return ready.missing(np.arange(which.get("count", 5))).tolist()


def test_what_was_filled_is_read_by_the_next_and_only_the_rest_is_missing(tmp_path):
    fill(tmp_path, [3, 1])
    assert missing(tmp_path) == [0, 2, 4]
    with open_cache(tmp_path) as ready:
        found = ready.read()
    np.testing.assert_array_equal(found[[1, 3]], PICTURES[[1, 3]])
    assert not found[[0, 2, 4]].any()
    assert not found.flags.writeable


def test_another_dataset_frame_or_count_has_places_of_its_own(tmp_path):
    fill(tmp_path, [0, 1, 2, 3, 4])
    assert missing(tmp_path) == []
    others = ({"digest": "b"}, {"sizing": Sizing(4, 6, 1)}, {"sizing": Sizing(4, 6, 3, whole=True)}, {"count": 4})
    for which in others:
        assert missing(tmp_path, **which) == list(range(which.get("count", 5)))


def test_a_reader_keeps_what_it_has_when_the_folder_is_removed(tmp_path):
    fill(tmp_path, [0, 1, 2, 3, 4])
    with open_cache(tmp_path) as ready:
        found = ready.read()
        shutil.rmtree(next(path for path in tmp_path.iterdir() if path.is_dir()))
        ready.write(np.array([0]), PICTURES[[4]])
        ready.keep().join()
    np.testing.assert_array_equal(found[1:], PICTURES[1:])
    assert missing(tmp_path) == [0, 1, 2, 3, 4]


def test_after_the_machine_started_anew_only_what_reached_the_disk_counts(tmp_path, monkeypatch):
    fill(tmp_path, [0, 1])
    with open_cache(tmp_path) as ready, ready.filling(never):
        ready.keep().join()
        ready.write(np.array([2]), PICTURES[[2]])
    assert missing(tmp_path) == [3, 4]
    monkeypatch.setattr(module, "_boot", lambda: "another")
    assert missing(tmp_path) == [2, 3, 4]


def test_one_at_a_time_fills(tmp_path):
    class Impatient(Exception):
        """Raised by whoever does not want to wait."""

    def give_up() -> None:
        raise Impatient

    with (
        open_cache(tmp_path) as one,
        open_cache(tmp_path) as other,
        one.filling(never),
        pytest.raises(Impatient),
        other.filling(give_up),
    ):
        pytest.fail("two fill at a time")


def test_a_full_disk_is_told_and_the_place_stays_empty(tmp_path, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with open_cache(tmp_path) as ready, ready.filling(never):
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(DiskFull, match="smaller image_size"):
            ready.write(np.array([0]), PICTURES[[0]])
    assert missing(tmp_path) == [0, 1, 2, 3, 4]
