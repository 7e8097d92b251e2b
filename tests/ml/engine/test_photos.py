"""From photographs in files to pictures of one size."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml.datasets import list_photos
from ml.engine import photos as module
from ml.engine.photos import bring_photo, decode_photos, plan_cut, ready_pictures
from ml.sizing import Sizing
from records.errors import DatasetUnreadable
from tests.ml.staged import write_pictures, write_staged


def ramp(height: int, width: int) -> np.ndarray:
    """Red grows to the right, green downwards, evenly from 0 to 240."""
    red, green = np.meshgrid(np.linspace(0, 240, width), np.linspace(0, 240, height))
    return np.stack([red, green, np.full_like(red, 90)], axis=-1).round().astype(np.uint8)


def bring(folder, sizing: Sizing) -> np.ndarray:
    photos = list_photos(folder)
    return np.concatenate(list(decode_photos(photos, np.arange(len(photos.files)), sizing, threads=2)))


def test_evaluation_shows_the_centre_of_seven_eighths_of_the_shorter_side(tmp_path):
    # 320 x 160: the middle square of 140 px, so red from 90/320 to 230/320 and green from 10/160 to 150/160 of 240
    (picture,) = bring(write_pictures(tmp_path / "set", [ramp(160, 320)]), Sizing(70, 70, 3))
    assert picture.shape == (70, 70, 3)
    np.testing.assert_allclose(picture[35, [0, -1], 0], [240 * 91 / 320, 240 * 229 / 320], atol=1.5)
    np.testing.assert_allclose(picture[[0, -1], 35, 1], [240 * 11 / 160, 240 * 149 / 160], atol=1.5)
    assert (picture[..., 2] == 90).all()


def test_a_frame_that_is_not_square_shows_a_centre_of_its_shape(tmp_path):
    (picture,) = bring(write_pictures(tmp_path / "set", [ramp(160, 320)]), Sizing(40, 160, 3))
    # 4:1 in 2:1: as wide as fits, 320 · 7/8 = 280 px, and 70 px high
    np.testing.assert_allclose(picture[20, [0, -1], 0], [240 * 20.9 / 320, 240 * 299.1 / 320], atol=1.5)
    np.testing.assert_allclose(picture[[0, -1], 80, 1], [240 * 45.9 / 160, 240 * 114.1 / 160], atol=1.5)


def test_a_whole_photograph_is_squeezed_into_its_frame(tmp_path):
    (picture,) = bring(write_pictures(tmp_path / "set", [ramp(160, 320)]), Sizing(80, 80, 3, whole=True))
    np.testing.assert_allclose(picture[40, [0, 40, -1], 0], [1, 121, 239], atol=2.5)
    np.testing.assert_allclose(picture[[0, 40, -1], 40, 1], [1, 121, 239], atol=2.5)


@pytest.mark.parametrize("factor", [1, 2, 5, 9, 20])
def test_a_large_jpeg_is_shrunk_as_evenly_as_a_small_one(tmp_path, factor):
    side = 64 * factor
    folder = write_pictures(tmp_path / "set", [ramp(side, side)], suffix=".jpg")
    (picture,) = bring(folder, Sizing(32, 32, 3, whole=True))
    expected = np.asarray(Image.fromarray(ramp(side, side)).resize((32, 32), Image.Resampling.BOX)).astype(int)
    assert abs(picture.astype(int) - expected).mean() < 2.5


def test_fine_patterns_become_grey_and_do_not_alias(tmp_path):
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    for suffix in (".jpg", ".png"):
        (picture,) = bring(write_pictures(tmp_path / suffix, [stripes], suffix=suffix), Sizing(50, 50, 3, whole=True))
        assert abs(picture.astype(int) - 127).max() < 12, suffix


def test_the_ratio_of_a_jpeg_leaves_at_least_the_frame(tmp_path):
    frame = Sizing(100, 100, 3, whole=True)
    for side, ratio in ((99, 1), (199, 1), (200, 2), (399, 2), (400, 4), (800, 8), (5000, 8)):
        assert plan_cut(tmp_path / "a.jpg", side, 2 * side, frame).ratio == ratio
    assert plan_cut(tmp_path / "a.png", 800, 800, frame).ratio == 1


def test_a_photograph_smaller_than_its_frame_is_enlarged(tmp_path):
    (picture,) = bring(write_pictures(tmp_path / "set", [ramp(10, 12)]), Sizing(50, 60, 3))
    assert picture.shape == (50, 60, 3)
    assert (np.diff(picture[25, :, 0].astype(int)) >= 0).all()


def test_grey_photographs_fill_three_channels_alike_and_colours_become_grey(tmp_path):
    grey = write_staged(tmp_path / "grey", {"train": 2}, channels=1)
    three, one = bring(grey, Sizing(20, 20, 3)), bring(grey, Sizing(20, 20, 1))
    np.testing.assert_array_equal(three, np.repeat(one, 3, axis=-1))
    (of_colour,) = bring(write_pictures(tmp_path / "set", [ramp(20, 20)]), Sizing(20, 20, 1))
    assert of_colour.shape == (20, 20, 1)


def test_one_photograph_alone_comes_out_as_in_the_training(tmp_path):
    folder = write_staged(tmp_path / "set", {"train": 4})
    photos, sizing = list_photos(folder), Sizing(30, 40, 3)
    together = bring(folder, sizing)
    for row, file in enumerate(photos.files):
        alone = bring_photo(file.read_bytes(), is_png=False, size=tuple(photos.sizes[row]), sizing=sizing)
        np.testing.assert_array_equal(alone, together[row])


def test_a_file_that_cannot_be_decoded_is_named(tmp_path):
    folder = write_staged(tmp_path / "set", {"train": 5})
    (folder / "images" / "p1-000003.jpg").write_bytes(b"\xff\xd8 no picture")
    with pytest.raises(DatasetUnreadable, match=r"p1-000003\.jpg \(stripes/3\.jpg\).*cannot be decoded"):
        bring(folder, Sizing(20, 20, 3))


# ── made ready ───────────────────────────────────────────────────────────────────────────────────────────────


def make_ready(folder, cache, rows, *, check=lambda: None, tell=lambda text: None) -> np.ndarray:
    frame = Sizing(20, 24, 3)
    return ready_pictures(list_photos(folder), np.array(rows), frame, cache=cache, threads=2, check=check, tell=tell)


def test_a_photograph_is_decoded_once_and_only_when_it_is_wanted(tmp_path, monkeypatch):
    folder, told = write_staged(tmp_path / "set", {"train": 6}), []
    first = make_ready(folder, tmp_path / "cache", [0, 2, 4], tell=told.append)
    for file in (folder / "images").iterdir():
        file.write_bytes(b"")  # whoever reads one again fails
    again = make_ready(folder, tmp_path / "cache", [4, 0], tell=told.append)
    assert told == ["Bringing 3 photographs to 24 x 20 px …"]
    np.testing.assert_array_equal(again[[0, 4]], first[[0, 4]])
    with pytest.raises(DatasetUnreadable):
        make_ready(folder, tmp_path / "cache", [1])


def test_whoever_stops_in_between_leaves_what_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    folder, looks = write_staged(tmp_path / "set", {"train": 6}), []

    class Stopped(Exception):
        """Raised when it is time."""

    def stop() -> None:
        looks.append(1)
        if len(looks) == 2:
            raise Stopped

    with pytest.raises(Stopped):
        make_ready(folder, tmp_path / "cache", range(6), check=stop)
    told: list[str] = []
    make_ready(folder, tmp_path / "cache", range(6), tell=told.append)
    assert told == ["Bringing 2 photographs to 24 x 20 px …"]
