"""The list of an uploaded dataset."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ml.datasets import is_photo_folder, list_photos
from records.errors import DatasetUnreadable
from tests.ml.staged import write_staged


@pytest.fixture
def folder(tmp_path):
    return write_staged(tmp_path / "set", {"train": 7, "val": 3})


def change(folder, **changes):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | changes))


def test_photographs_are_listed_with_labels_sizes_and_splits(folder):
    photos = list_photos(folder)
    assert photos.classes == ("stripes", "disc", "square")
    assert photos.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 0, 1, 2]
    assert photos.sizes[:3].tolist() == [[48, 64], [60, 44], [52, 52]]
    assert {split: rows.tolist() for split, rows in photos.splits.items()} == {
        "train": [0, 1, 2, 3, 4, 5, 6],
        "val": [7, 8, 9],
    }
    assert (
        photos.aspects.tolist()
        == np.float32([64 / 48, 44 / 60, 1.0] * 2 + [64 / 48] + [64 / 48, 44 / 60, 1.0]).tolist()
    )
    assert photos.files[0].is_file()
    assert photos.names[1] == "disc/1.jpg"


def test_a_folder_of_idx_files_is_no_folder_of_photographs(folder, tmp_path):
    assert is_photo_folder(folder)
    assert not is_photo_folder(tmp_path)


def test_the_digest_follows_from_the_list(folder, tmp_path):
    other = write_staged(tmp_path / "other", {"train": 7, "val": 3}, seed=1)
    again = write_staged(tmp_path / "again", {"train": 7, "val": 3})
    assert list_photos(folder).digest == list_photos(again).digest != list_photos(other).digest


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"form": 2}, "form"),
        ({"task": "segmentation"}, "task"),
        ({"channels": 4}, "channels"),
        (
            {"images": [{"file": "../etc/passwd", "split": "train", "label": 0, "width": 1, "height": 1}]},
            "images.0.file",
        ),
        ({"images": [{"file": "a.jpg", "split": "train", "label": 3, "width": 1, "height": 1}]}, "label of 0 to 2"),
        ({"images": [{"file": "a.jpg", "split": "train", "label": None, "width": 1, "height": 1}]}, "got None"),
        ({"images": [{"file": "a.jpg", "split": "train", "label": 0, "width": 1, "height": 1}]}, "it is not there"),
        ({"images": [{"file": "a.jpg", "split": "tset", "label": 0, "width": 1, "height": 1}]}, "images.0.split"),
    ],
)
def test_a_list_that_is_not_of_its_form_is_refused(folder, changes, part):
    change(folder, **changes)
    with pytest.raises(DatasetUnreadable, match=part):
        list_photos(folder)


def test_a_list_that_is_no_json_is_refused(folder):
    (folder / "manifest.json").write_text("{")
    with pytest.raises(DatasetUnreadable, match=r"manifest\.json"):
        list_photos(folder)
