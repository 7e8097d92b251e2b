"""From the bytes of one mask file to its values. Runs in a decoder; trusts nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.intake.colours import SIXTEEN_BIT
from ml.intake.pixels import FORMATS, PixelLimits, as_problems, open_image
from ml.intake.refusals import FileProblem

LOSSY = ("JPEG", "WebP")
NAMED_VALUES = 8


@dataclass(frozen=True)
class DecodedMask:
    """A mask with the values that it came with."""

    values: NDArray[np.uint8]
    """`[height, width]`, shrunk like its image by nearest neighbour."""
    counts: dict[int, int]
    """Pixels of each value, before shrinking."""


def decode_mask(
    data: bytes, limits: PixelLimits, *, came_size: tuple[int, int], stored_size: tuple[int, int]
) -> DecodedMask:
    """Read a mask for an image of `came_size` (width, height, upright) that is stored in `stored_size`.

    Raises:
        FileProblem: it is no image, in colour, of a format that blurs borders, or of another size than its image.
    """
    with as_problems(data):
        image = open_image(data, limits)
        came_as = FORMATS[image.format or ""]
        if came_as in LOSSY:
            raise FileProblem(
                "mask_lossy",
                f"The mask is a {came_as}, which blurs the borders between classes. Save masks as PNG.",
            )
        if image.size != came_size:
            raise FileProblem(
                "mask_size",
                f"The mask is {image.width:,} × {image.height:,} px, its image {came_size[0]:,} × {came_size[1]:,} px "
                "as it is shown (EXIF orientation counts). Make them the same size.",
            )
        values = _values(image)
    found, counts = np.unique(values, return_counts=True)
    if found[-1] > 255 or found[0] < 0:
        beyond = found[(found > 255) | (found < 0)]
        raise FileProblem(
            "mask_value",
            f"Expected values of 0 to 255 in the mask, got {name_values(beyond)}. Number the classes from 0.",
        )
    values = values.astype(np.uint8)
    if stored_size != came_size:
        values = np.asarray(Image.fromarray(values).resize(stored_size, Image.Resampling.NEAREST))
    return DecodedMask(values, {int(value): int(count) for value, count in zip(found, counts, strict=True)})


def name_values(values: NDArray[np.integer] | list[int]) -> str:
    """The first few values in words."""
    named = ", ".join(str(int(value)) for value in values[:NAMED_VALUES])
    more = len(values) - NAMED_VALUES
    return f"{named} and {more} more" if more > 0 else named


def _values(image: Image.Image) -> NDArray[np.integer]:
    """`[height, width]`: palette indices, or grey levels as they are."""
    image.load()
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8)
    if image.mode in ("P", "L", "I", *SIXTEEN_BIT):
        return np.asarray(image)
    if image.mode in ("PA", "LA"):
        return np.asarray(image.getchannel(0))
    if image.mode in ("RGB", "RGBA"):
        red, green, blue = (np.asarray(image.getchannel(channel)) for channel in "RGB")
        if (red == green).all() and (green == blue).all():
            return red
    raise FileProblem(
        "mask_in_colour",
        f"Expected a mask with one number a pixel (an indexed PNG, or grey levels), got colours ({image.mode}). "
        "Replace each colour by the number of its class.",
    )
