"""Reading pictures with masks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from ml.datasets.photos import list_photos
from ml.datasets.scenes import HeldScenes, list_scenes, read_scene
from records.errors import DatasetUnreadable
from tests.ml.scenes import CLASSES, IGNORED, SIZES, write_scenes


@pytest.fixture
def folder(tmp_path):
    return write_scenes(tmp_path / "staged", {"train": 4, "val": 2})


def test_pictures_keep_their_sizes_and_meet_their_masks(folder):
    scenes = list_scenes(folder)
    assert scenes.classes == CLASSES
    assert {split: rows.tolist() for split, rows in scenes.splits.items()} == {"train": [0, 1, 2, 3], "val": [4, 5]}
    for row in range(3):
        scene = read_scene(scenes, row, channels=3)
        assert scene.pixels.shape == (*SIZES[row], 3)
        assert scene.mask.shape == SIZES[row]
        assert set(np.unique(scene.mask)) <= {0, 1, 2, IGNORED}
    assert read_scene(scenes, 0, channels=1).pixels.shape == (*SIZES[0], 1)


def test_grey_pictures_get_the_channels_that_a_network_wants(tmp_path):
    scenes = list_scenes(write_scenes(tmp_path / "grey", {"train": 1}, channels=1))
    pixels = read_scene(scenes, 0, channels=3).pixels
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_held_pictures_are_those_that_are_read_anew(folder, monkeypatch):
    scenes = list_scenes(folder)
    held = HeldScenes(scenes, np.array([3, 1]), channels=3, threads=2)
    monkeypatch.setattr("ml.datasets.scenes.HELD_BYTES", 0)
    read = HeldScenes(scenes, np.array([3, 1]), channels=3, threads=2)
    for index in (0, 1):
        assert all(np.array_equal(one, other) for one, other in zip(held[index], read[index], strict=True))
    assert held.name(0) == "images/train3.png"


def test_pixels_of_no_class_are_counted_nowhere(folder):
    held = HeldScenes(list_scenes(folder), np.array([0]), channels=3, threads=1)
    counts, mask = held.count_pixels(), held[0].mask
    assert counts.tolist() == [(mask == index).sum() for index in range(3)]
    assert counts.sum() == mask.size - 9


def spoilt(folder, **changes):
    listed = json.loads((folder / "manifest.json").read_text())
    listed["images"][1] |= changes
    (folder / "manifest.json").write_text(json.dumps(listed))


def test_a_picture_without_a_mask_is_named(folder):
    spoilt(folder, mask=None)
    with pytest.raises(DatasetUnreadable, match=r"mask for p1-000001.png \(images/train1.png\), got none"):
        list_scenes(folder)


def test_a_mask_that_is_not_there_is_named(folder):
    (folder / "images" / "p1-000001.mask.png").unlink()
    with pytest.raises(DatasetUnreadable, match=r"p1-000001.mask.png in staged/images"):
        list_scenes(folder)


def test_a_mask_of_another_size_is_named(folder):
    Image.new("L", (9, 8)).save(folder / "images" / "p1-000001.mask.png")
    with pytest.raises(DatasetUnreadable, match="44 x 60 px as the picture is, got 9 x 8 px"):
        read_scene(list_scenes(folder), 1, channels=3)


def test_a_value_that_is_no_class_is_named_with_its_file(folder):
    path = folder / "images" / "p1-000001.mask.png"
    mask = np.asarray(Image.open(path)).copy()
    mask[9, 9] = 7
    Image.fromarray(mask).save(path)
    with pytest.raises(DatasetUnreadable, match=r"0 to 2 in p1-000001.mask.png .*got 7"):
        read_scene(list_scenes(folder), 1, channels=3)


def test_a_file_that_is_no_picture_is_named(folder):
    (folder / "images" / "p1-000001.png").write_bytes(b"none")
    with pytest.raises(DatasetUnreadable, match=r"p1-000001.png to be a JPEG or PNG"):
        read_scene(list_scenes(folder), 1, channels=3)


def test_a_list_with_masks_is_none_of_labelled_photographs(folder):
    with pytest.raises(DatasetUnreadable, match="task"):
        list_photos(folder)
