"""How training images are changed at random, anew every time they are seen; never those of `val` and `test`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from records.specs.base import Strict


def ascending(pair: tuple[float, float]) -> tuple[float, float]:
    """The pair as it is. Raises ValueError where the larger number comes first."""
    if pair[0] > pair[1]:
        raise ValueError("Expected the smaller number first")
    return pair


Area = Annotated[float, Field(gt=0.0, le=1.0)]
Aspect = Annotated[float, Field(ge=0.1, le=10.0)]
Change = Annotated[float, Field(ge=0.0, le=1.0)]
Concentration = Annotated[float, Field(ge=0.0, le=10.0)]


class Crop(Strict):
    """A random part of each image, enlarged to the image size (Szegedy et al. 2015, section 6)."""

    scale: Annotated[tuple[Area, Area], AfterValidator(ascending)] = (0.08, 1.0)
    """Smallest and largest share of the image's area."""
    ratio: Annotated[tuple[Aspect, Aspect], AfterValidator(ascending)] = (0.75, 1.3333)
    """Narrowest and widest shape: width divided by height, as the part lies in the photograph."""


class RandAugment(Strict):
    """A few of fourteen changes of colour and place, drawn anew for each image (Cubuk et al. 2020)."""

    operations: Annotated[int, Field(ge=1, le=8)] = 2
    """Changes an image, one after the other (N in the paper)."""
    magnitude: Annotated[float, Field(ge=0.0, le=10.0)] = 5.0
    """How strong they are: 10 is the strongest of each (M in the paper)."""


class Elastic(Strict):
    """Bend each image as if it were drawn on rubber (Simard et al. 2003)."""

    strength: Annotated[float, Field(gt=0.0, le=0.2)] = 0.03
    """How far pixels are drawn away, as a share of the side: one standard deviation at the points of the grid."""
    points: Annotated[int, Field(ge=2, le=32)] = 5
    """Points of the grid along each side; the more, the finer the waves."""


class Erase(Strict):
    """Hide a part of some images behind noise (Zhong et al. 2020)."""

    probability: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    """Share of the images of which a part is hidden."""
    area: Annotated[tuple[Area, Area], AfterValidator(ascending)] = (0.02, 0.2)
    """Smallest and largest share of the image's area."""
    ratio: Annotated[tuple[Aspect, Aspect], AfterValidator(ascending)] = (0.3, 3.3333)
    """Narrowest and widest shape of the part: width divided by height."""


class Augmentation(Strict):
    """Random changes of each training image, drawn anew every time it is seen; never for `val` and `test`."""

    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    """Mirror every second image, drawn at random: left to right, upside down, or each of both."""
    crop: Crop | None = None
    """Show a random part instead of the whole."""
    shift: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    """Largest shift in each direction, as a share of the side."""
    rotate_degrees: Annotated[float, Field(ge=0.0, le=180.0)] = 0.0
    """Largest rotation to either side, in degrees."""
    zoom: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    """Largest zoom in or out, as a share of the size."""
    elastic: Elastic | None = None
    """Bend each image as if it were drawn on rubber, after it was shifted, turned and zoomed."""
    brightness: Change = 0.0
    """Largest change of the brightness, as a share of it."""
    contrast: Change = 0.0
    """Largest change of the contrast, as a share of it."""
    saturation: Change = 0.0
    """Largest change of how strong colours are, as a share of it. Colour images only."""
    hue_degrees: Annotated[float, Field(ge=0.0, le=180.0)] = 0.0
    """Largest turn of the colours to either side, in degrees: 120 turns red into green. Colour images only."""
    randaugment: RandAugment | None = None
    """Besides the rest, a few changes drawn from many."""
    erase: Erase | None = None
    """Hide a part of some images, after all other changes but mixing."""
    mixup: Concentration = 0.0
    """Mix each image and its label with another's, by shares from Beta(`mixup`, `mixup`) (Zhang et al. 2018); 0 is off.
    With `cutmix` too, each batch gets one of both."""
    cutmix: Concentration = 0.0
    """Paste a part of another image into each, and mix the labels by area, from Beta(`cutmix`, `cutmix`)
    (Yun et al. 2019); 0 is off."""

    @property
    def is_off(self) -> bool:
        """Whether images stay as they are."""
        return self == Augmentation()

    @property
    def mixes(self) -> bool:
        """Whether an image's label may be a mixture."""
        return bool(self.mixup or self.cutmix)
