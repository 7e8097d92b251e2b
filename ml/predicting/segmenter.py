"""A trained model that tells the class of every pixel, built from what its job kept; and its answer about one image."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.engine.earlier import load_trained
from ml.engine.tiles import TiledModel
from ml.reports.overlays import class_colours, lay_over, palette
from ml.run_record import Record, read_record
from records.errors import ModelUnreadable
from records.questions import ClassShare, SeenPixels
from records.specs import SegmentSpec

BATCH = 4
"""Tiles at a time."""
OVERLAY_PX = 1024
"""The overlay is shrunk to this longest side; the mask is not."""


class PixelTeller:
    """A model with its weights, ready for images of any size."""

    def __init__(self, record: Record, tiled: TiledModel) -> None:
        self.classes = record.classes
        self._channels = record.image_shape[2]
        self._tiled = tiled

    def tell(self, pixels: NDArray[np.uint8], *, invert: bool) -> SeenPixels:
        """The class of every pixel of an image `[height, width, 1 or 3]` of 0 to 255."""
        mask = self._tiled.mask(_fitted(255 - pixels if invert else pixels, self._channels))
        height, width = mask.shape
        counts = np.bincount(mask.ravel(), minlength=len(self.classes))
        shares = [
            ClassShare(name=name, share=float(count / mask.size), colour=_hex(colour))
            for name, count, colour in zip(self.classes, counts, class_colours(len(self.classes)), strict=True)
        ]
        return SeenPixels(
            width=width,
            height=height,
            shares=tuple(shares),
            # The first class, mostly the background, lets what lies below be seen.
            mask=_encoded(_indexed(mask, len(self.classes)), "PNG", transparency=0),
            overlay=_encoded(_shrunk(Image.fromarray(lay_over(pixels, mask, len(self.classes)))), "JPEG"),
        )


def load_teller(record: Path, weights: Path) -> PixelTeller:
    """The model in two kept files of a job.

    Args:
        record: its `run.json`.
        weights: its `best.weights.h5` or `last.weights.h5`.

    Raises:
        ModelUnreadable: they are not what they should be, or do not fit each other.
    """
    said = read_record(record)
    if not isinstance(said.spec, SegmentSpec):
        raise ModelUnreadable(f"Expected the record of a segmentation, got one of kind {said.spec.kind!r}.")
    model = load_trained(said.draw(), weights)
    return PixelTeller(said, TiledModel(model, overlap=said.spec.tile_overlap, batch_size=BATCH))


def _fitted(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """With as many channels as the model takes: colours by their luma, grey three times."""
    if pixels.shape[-1] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=-1)
    return np.asarray(Image.fromarray(pixels).convert("L"))[..., np.newaxis]


def _indexed(mask: NDArray[np.uint8], classes: int) -> Image.Image:
    image = Image.fromarray(mask).convert("P")
    image.putpalette(palette(classes).ravel().tolist())
    return image


def _shrunk(image: Image.Image) -> Image.Image:
    image.thumbnail((OVERLAY_PX, OVERLAY_PX))
    return image


def _encoded(image: Image.Image, form: str, **how: int) -> str:
    written = io.BytesIO()
    image.save(written, form, **how)
    return base64.b64encode(written.getvalue()).decode()


def _hex(colour: NDArray[np.uint8]) -> str:
    return "#" + bytes(colour.tolist()).hex()
