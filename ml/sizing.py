"""How photographs are brought to one size, and how many bytes that takes. Pure: estimates count with it.

Evaluation shows the centre: the shorter side is brought to the image size / 0.875 and the middle is cut out, as 224 of
256 pixels in Krizhevsky, Sutskever, Hinton (2012) and He, Zhang, Ren, Sun (2016). A training that crops at random needs
more than that: it keeps whole photographs, squeezed into a frame 1 / 0.875 as high and wide as the image size, with
their shape on record, so that a part is still cut out in its true shape. Parts below 77 % of the photograph's area are
therefore enlarged, from fewer pixels than a large photograph had; in return all lie in one array, and an epoch decodes
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from records.specs.augmentation import Augmentation

SHOWN = 0.875
"""Share of the shorter side that evaluation shows."""
HELD_BYTES = 64_000_000
"""Training images up to so many bytes are held in memory; more are mapped from their file, which is as fast from the
system's page cache and takes no second copy."""


@dataclass(frozen=True)
class Sizing:
    """A frame, and how photographs come into it."""

    height: int
    width: int
    channels: int
    whole: bool = False
    """The whole photograph is squeezed into the frame; else its centre is cut out in the frame's shape."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return (self.height, self.width, self.channels)

    @property
    def picture_bytes(self) -> int:
        """One picture of 8-bit values."""
        return self.height * self.width * self.channels


def evaluation_sizing(image_shape: tuple[int, int, int]) -> Sizing:
    """For validation and test, and for a training that does not crop."""
    return Sizing(*image_shape)


def training_sizing(image_shape: tuple[int, int, int], augmentation: Augmentation | None) -> Sizing:
    """For the images to train on."""
    height, width, channels = image_shape
    if augmentation is None or augmentation.crop is None:
        return evaluation_sizing(image_shape)
    return Sizing(ceil(height / SHOWN), ceil(width / SHOWN), channels, whole=True)
