"""A network for crops on whole pictures of any size: tiles that overlap, blended. Memory does not grow with height.

What the network says near a tile's edge knows little of what lies beyond; so neighbouring tiles overlap, and each
pixel is the mean of what they say, weighed by how far from their edges it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


@dataclass(frozen=True)
class Band:
    """Some rows of a picture, finished."""

    top: int
    probabilities: NDArray[np.float32]
    """`[rows, width, classes]`."""


class TiledModel:
    """A model with its tiles.

    Args:
        model: takes crops and gives probabilities of the same height and width.
        overlap: least share of a tile's side that it has in common with the next.
        batch_size: tiles at a time.
    """

    def __init__(self, model: keras.Model, *, overlap: float, batch_size: int) -> None:
        _, height, width, channels = model.input_shape
        self._tile, self._channels, self._batch_size = (height, width), channels, batch_size
        self._classes = model.output_shape[-1]
        self._step = tuple(max(1, int(side * (1 - overlap))) for side in self._tile)
        self._weights = np.outer(_ramp(height), _ramp(width)).astype(np.float32)[..., np.newaxis]
        # One trace for every number of tiles: each other one would cost as long as a first.
        signature = [tf.TensorSpec((None, height, width, channels), tf.uint8)]
        self._forward = tf.function(
            lambda tiles: model(tf.cast(tiles, tf.float32), training=False), input_signature=signature
        )

    def mask(self, pixels: NDArray[np.uint8], *, between: Callable[[], None] | None = None) -> NDArray[np.uint8]:
        """The likeliest class of each pixel, `[height, width]`, of a picture `[height, width, channels]`."""
        said = np.empty(pixels.shape[:2], np.uint8)
        for band in self.bands(pixels, between=between):
            said[band.top : band.top + len(band.probabilities)] = band.probabilities.argmax(axis=-1)
        return said

    def bands(self, pixels: NDArray[np.uint8], *, between: Callable[[], None] | None = None) -> Iterator[Band]:
        """The probabilities of a picture `[height, width, channels]` from top to bottom, as rows are finished.

        Held are one tile's height of rows and one batch of tiles. A picture smaller than a tile mirrors at its edges.
        `between` is called after each batch of tiles.
        """
        height, width, _ = pixels.shape
        padded = _padded(pixels, self._tile)
        tops, lefts = (
            _places(side, tile, step) for side, tile, step in zip(padded.shape, self._tile, self._step, strict=False)
        )
        tile_height, tile_width = self._tile
        total = np.zeros((tile_height, padded.shape[1], self._classes), np.float32)
        weight = np.zeros((tile_height, padded.shape[1], 1), np.float32)
        for top, following in zip(tops, [*tops[1:], tops[-1] + tile_height], strict=True):
            rows = padded[top : top + tile_height]
            for first in range(0, len(lefts), self._batch_size):
                chosen = lefts[first : first + self._batch_size]
                tiles = np.stack([rows[:, left : left + tile_width] for left in chosen])
                for left, said in zip(chosen, self._forward(tf.constant(tiles)).numpy(), strict=True):
                    total[:, left : left + tile_width] += said * self._weights
                    weight[:, left : left + tile_width] += self._weights
                if between is not None:
                    between()
            done = following - top
            finished = (total[:done] / weight[:done])[: max(0, height - top), :width]
            if len(finished):
                yield Band(top, finished)
            for held in (total, weight):
                held[: tile_height - done] = held[done:]
                held[tile_height - done :] = 0.0


def _places(side: int, tile: int, step: int) -> list[int]:
    """Where tiles begin, evenly spread and at most `step` apart, the last at the end."""
    count = -(-(side - tile) // step) + 1
    return [round(place) for place in np.linspace(0, side - tile, count)]


def _padded(pixels: NDArray[np.uint8], tile: tuple[int, int]) -> NDArray[np.uint8]:
    missing = [max(0, wanted - side) for wanted, side in zip(tile, pixels.shape, strict=False)]
    if not any(missing):
        return pixels
    return np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")


def _ramp(side: int) -> NDArray[np.float64]:
    """Weights `[side]`: 1 in the middle, falling by a line to the edges, nowhere 0."""
    places = np.arange(side)
    return np.minimum(places + 1, side - places) / ((side + 1) // 2)
