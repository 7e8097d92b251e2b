"""Whole pictures from tiles: every pixel once, blended where tiles overlap, in bounded memory."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ml.engine.tiles import TiledModel

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


def local_model(size=(16, 16)):
    """Says of each pixel what its own value says: class 1 as likely as it is bright."""
    images = keras.Input((*size, 1))
    bright = keras.layers.Rescaling(1 / 255)(images)
    dark = keras.layers.Rescaling(-1 / 255, offset=1.0)(images)
    return keras.Model(images, keras.layers.Concatenate()([dark, bright]))


def whole(bands, width):
    bands = list(bands)
    assert [band.top for band in bands] == np.cumsum([0, *(len(band.probabilities) for band in bands[:-1])]).tolist()
    assert all(band.probabilities.shape[1] == width for band in bands)
    return np.concatenate([band.probabilities for band in bands])


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.7])
@pytest.mark.parametrize("size", [(16, 16), (17, 40), (50, 33), (3, 5), (1, 100), (64, 64)])
def test_a_model_that_looks_at_single_pixels_says_the_same_in_tiles(size, overlap):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 1), np.uint8)
    tiled = TiledModel(local_model(), overlap=overlap, batch_size=3)
    told = whole(tiled.bands(pixels), size[1])
    np.testing.assert_allclose(told[..., 1], pixels[..., 0] / 255, atol=1e-5)
    assert np.array_equal(tiled.mask(pixels), (pixels[..., 0] > 127).astype(np.uint8))


def test_where_tiles_overlap_the_middle_of_a_tile_counts_more_than_its_edge():
    """A model that says 1 in the right half of its tile: beside the seam, the tile whose middle is nearer wins."""
    images = keras.Input((8, 8, 1))
    right = np.zeros((1, 8, 8, 1), np.float32)
    right[:, :, 4:] = 1
    ones = keras.layers.Lambda(lambda x: x * 0 + keras.ops.concatenate([1 - right, right], axis=-1))(images)
    told = whole(
        TiledModel(keras.Model(images, ones), overlap=0.5, batch_size=2).bands(np.zeros((8, 12, 1), np.uint8)), 12
    )
    # column 4: the first tile's fifth (weight 1, says 1), the second's first (weight 1/4, says 0)
    np.testing.assert_allclose(told[0, [3, 4, 7, 8], 1], [0.0, 1 / 1.25, 0.25 / 1.25, 1.0], atol=1e-6)


def test_only_one_tiles_height_of_rows_is_held(monkeypatch):
    """The arrays of a picture ten times as high are as large."""
    made = []
    zeros = np.zeros
    monkeypatch.setattr("ml.engine.tiles.np.zeros", lambda shape, *rest: made.append(shape) or zeros(shape, *rest))
    tiled = TiledModel(local_model(), overlap=0.25, batch_size=2)
    for height in (32, 320):
        list(tiled.bands(zeros((height, 20, 1), np.uint8)))
    assert made == [(16, 20, 2), (16, 20, 1)] * 2


def test_between_batches_somebody_may_stop_it():
    calls = []
    tiled = TiledModel(local_model(), overlap=0.0, batch_size=2)
    tiled.mask(np.zeros((32, 48, 1), np.uint8), between=lambda: calls.append(1))
    assert len(calls) == 4  # two rows of three tiles, two at a time
