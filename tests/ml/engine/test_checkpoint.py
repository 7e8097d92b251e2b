"""Checkpoint files: whole or refused, and never at the cost of the one before."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from ml.engine.checkpoint import read_checkpoint, verify_checkpoint, write_checkpoint
from ml.engine.state import TrainingState
from ml.engine.watching import Watched
from records.errors import DiskFull, ResumeImpossible

ARRAYS = {
    "model/0000": np.arange(6, dtype=np.float32).reshape(2, 3),
    "model/0001": np.array([1, 2], np.uint32),
    "empty": np.zeros(0, np.float32),
    "scalar": np.float32(0.1),
}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "c.npz", ARRAYS, {"state": {"loss": 0.1, "best": None}})
    arrays, meta = read_checkpoint(tmp_path / "c.npz")
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
    assert meta["state"] == {"loss": 0.1, "best": None}
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]


def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    write_checkpoint(path, ARRAYS, {})
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ResumeImpossible):
            verify_checkpoint(path)


def test_one_flipped_bit_in_the_weights_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    write_checkpoint(path, ARRAYS, {})
    altered = bytearray(path.read_bytes())
    altered[altered.index(ARRAYS["model/0000"].tobytes()) + 5] ^= 1
    path.write_bytes(altered)
    with pytest.raises(ResumeImpossible):
        verify_checkpoint(path)


def test_arrays_changed_by_a_program_that_writes_good_archives_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    write_checkpoint(path, ARRAYS, {})
    with np.load(path) as file:
        stored = {name: file[name] for name in file.files}
    stored["model/0000"] = stored["model/0000"] + 1
    np.savez(path, **stored)
    with pytest.raises(ResumeImpossible, match="SHA-256"):
        verify_checkpoint(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResumeImpossible, match=r"nothing\.npz"):
        read_checkpoint(tmp_path / "nothing.npz")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_the_file_before_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "c.npz"
    write_checkpoint(path, ARRAYS, {"step": 1})

    def full(fd: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="retry the job"):
        write_checkpoint(path, ARRAYS, {"step": 2})
    assert read_checkpoint(path)[1]["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]


def test_the_state_of_a_training_survives_being_taken_apart(tmp_path: Path) -> None:
    state = TrainingState(
        epoch=2,
        position=3,
        step=13,
        plateau=Watched(best=0.1 + 0.2, waited=1),
        history=[{"epoch": 1, "val/loss": 1 / 3}],
        points=[("train/loss", 5, 0.7, 1e9)],
        losses=np.array([0.1, 0.2, 0.3], np.float32),
        best_weights=[np.ones((2, 2), np.float32)],
    )
    arrays, plain = state.to_parts()
    write_checkpoint(tmp_path / "c.npz", arrays, {"state": plain})
    stored, meta = read_checkpoint(tmp_path / "c.npz")
    again = TrainingState.from_parts(stored, meta["state"])
    assert again.to_parts()[1] == plain
    np.testing.assert_array_equal(again.losses, state.losses)
    np.testing.assert_array_equal(again.best_weights[0], state.best_weights[0])
