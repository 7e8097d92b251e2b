"""Pictures in and out: files as numbers of 0 to 1, sizes, frames, the time-lapse. Only Pillow and numpy."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.style.sizes import fit

Pixels = NDArray[np.float32]
"""`[height, width, 3]`, red, green, blue, 0 to 1."""

FRAME_PX = 320
"""Longer side of a frame of the time-lapse."""
FRAME_S = 0.12
LAST_FRAME_S = 2.0


def read_picture(path: Path, longest_px: int) -> Pixels:
    """A picture that the yard has taken in, in colour, made smaller where its longer side is longer than that."""
    return _read(path, "RGB", longest_px)


def read_mask(path: Path, longest_px: int) -> NDArray[np.float32]:
    """A mask `[height, width]` of 0 to 1, from a picture's luminance; made smaller likewise."""
    return _read(path, "L", longest_px)


def resize(pixels: Pixels, height: int, width: int) -> Pixels:
    """The picture in another size: averaged when it shrinks, bicubic when it grows."""
    if pixels.shape[:2] == (height, width):
        return pixels
    channels = [_plane(pixels[..., c], height, width) for c in range(pixels.shape[-1])]
    return np.clip(np.stack(channels, axis=-1), 0, 1)


def resize_mask(mask: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """The mask in another size."""
    return np.clip(_plane(mask, height, width), 0, 1)


def write_picture(path: Path, pixels: Pixels) -> None:
    """Write PNG, without any metadata."""
    _image(pixels).save(path, "PNG")


def as_frame(pixels: Pixels, longest_px: int = FRAME_PX) -> bytes:
    """A JPEG, made smaller where it is larger than that."""
    height, width = fit(*pixels.shape[:2], min(longest_px, max(pixels.shape[:2])))
    file = io.BytesIO()
    _image(resize(pixels, height, width)).save(file, "JPEG", quality=85)
    return file.getvalue()


def write_time_lapse(path: Path, frames: Sequence[bytes]) -> None:
    """Write an animated WebP of the frames, all in the size of the last; it stops on that one for a while."""
    pictures = [Image.open(io.BytesIO(frame)) for frame in frames]
    size = pictures[-1].size
    shown = [picture.resize(size, Image.Resampling.BICUBIC) for picture in pictures]
    durations = [round(1000 * FRAME_S)] * (len(shown) - 1) + [round(1000 * LAST_FRAME_S)]
    shown[0].save(path, "WEBP", save_all=True, append_images=shown[1:], duration=durations, loop=0, quality=80)


def _read(path: Path, mode: str, longest_px: int) -> NDArray[np.float32]:
    """Shrunk while a pixel is still a few bytes: as 32-bit numbers a large photograph would fill the memory."""
    with Image.open(path) as picture:
        shown = picture.convert(mode)
    if max(shown.size) > longest_px:
        height, width = fit(shown.height, shown.width, longest_px)
        shown = shown.resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(shown, np.float32) / 255


def _plane(plane: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    picture = Image.fromarray(plane)
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC), np.float32)


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8))
