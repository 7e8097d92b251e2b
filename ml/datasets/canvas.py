"""Larger images made of small ones: some of a dataset's images scattered over a canvas, none over another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scattered:
    """Where an image lies on its canvas."""

    index: int
    """Of the image in the dataset's split."""
    top: int
    left: int


@dataclass(frozen=True, eq=False)
class Canvas:
    """A canvas and what lies on it."""

    pixels: NDArray[np.uint8]
    """`[height, width, channels]`, 0 where nothing lies."""
    scattered: tuple[Scattered, ...]


def scatter(images: NDArray[np.uint8], size: tuple[int, int], seed: int) -> Canvas:
    """A canvas of `size` (height, width) with as many images as a loose grid holds, each moved at random in its cell.

    Cells are half as large again as an image; on a canvas that holds no such cell one image lies alone.

    Args:
        images: `[n, height, width, channels]` to choose from.
        size: of the canvas, at least that of an image.
        seed: which images, and where.
    """
    generator = np.random.default_rng(seed)
    height, width, channels = images.shape[1:]
    pixels = np.zeros((*size, channels), np.uint8)
    scattered = []
    for (top, bottom), (left, right) in _cells(size, (height, width)):
        index = int(generator.integers(len(images)))
        place = Scattered(
            index,
            top=int(generator.integers(top, bottom - height + 1)),
            left=int(generator.integers(left, right - width + 1)),
        )
        pixels[place.top : place.top + height, place.left : place.left + width] = images[index]
        scattered.append(place)
    return Canvas(pixels, tuple(scattered))


def _cells(size: tuple[int, int], image: tuple[int, int]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    rows, columns = (max(1, whole // (part + part // 2)) for whole, part in zip(size, image, strict=True))
    for row in range(rows):
        for column in range(columns):
            yield _part(size[0], rows, row), _part(size[1], columns, column)


def _part(length: int, parts: int, number: int) -> tuple[int, int]:
    return number * length // parts, (number + 1) * length // parts
