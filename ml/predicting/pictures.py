"""Bringing a picture to what a network takes. Never imports Keras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def fit_pictures(
    pictures: Sequence[NDArray[np.uint8]], image_shape: tuple[int, int, int], *, shown: float = 1.0
) -> NDArray[np.uint8]:
    """Pictures of any sizes, `[height, width, 1 or 3]` each, as one batch `[n, height, width, channels]`."""
    if isinstance(pictures, np.ndarray) and pictures.shape[1:] == image_shape:
        return pictures
    fitted = np.empty((len(pictures), *image_shape), np.uint8)
    for place, pixels in zip(fitted, pictures, strict=True):
        place[:] = fit_picture(pixels, image_shape, shown=shown)
    return fitted


def fit_picture(
    pixels: NDArray[np.uint8], image_shape: tuple[int, int, int], *, shown: float = 1.0
) -> NDArray[np.uint8]:
    """A picture `[height, width, 1 or 3]` of 0 to 255 as one of the network's shape.

    Colours become grey by their luma (ITU-R 601), grey becomes three equal channels. Where the size differs, the middle
    of the picture with the network's ratio of sides is taken, as large as it can be, and brought to the network's size
    with a triangle filter that averages where it shrinks. A picture of the right size stays as it is. Of models of
    photographs only the share `shown` of that middle is taken, as in their evaluation (`ml.sizing`).
    """
    height, width, channels = image_shape
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        middle = _middle(picture.size, width / height, shown)
        picture = picture.resize((width, height), Image.Resampling.BILINEAR, box=middle)
    fitted: NDArray[np.uint8] = np.asarray(picture).reshape(image_shape)
    return fitted


def _middle(size: tuple[int, int], ratio: float, shown: float) -> tuple[float, float, float, float]:
    """This share of the largest box of a ratio of width to height in a picture's middle: left, top, right, bottom."""
    width, height = size
    taken_width, taken_height = shown * min(width, height * ratio), shown * min(height, width / ratio)
    left, top = (width - taken_width) / 2, (height - taken_height) / 2
    return (left, top, left + taken_width, top + taken_height)
