"""What is asked of a predictor, and what it answers: one JSON line each. Pure data, nothing secret.

A predictor is a child that holds trained models ready. Its first line is a `PredictorOrder`; then each `Question` that
comes down is answered by one `Answer`, in order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from records.orders import OrderedDevice
from records.specs.base import Strict
from records.specs.earlier import Weights


class Options(Strict):
    """How to predict."""

    weights: Weights = "best"
    """Of the epoch that did best on the validation part, or of the last one."""
    top: Annotated[int, Field(ge=1, le=1_000)] = 3
    """How many classes to tell of each image, the likeliest first."""
    invert: bool = False
    """Turn light and dark round first: for dark ink on paper, where the network learnt light strokes on black."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# ── down ─────────────────────────────────────────────────────────────────────────────────────────────────────


class PredictorOrder(_Line):
    """Be a predictor."""

    serve: Literal["predictions"] = "predictions"
    device: OrderedDevice
    models: Annotated[int, Field(ge=1)]
    """At most so many are held; the one that was asked longest ago leaves first."""
    image_pixels: Annotated[int, Field(ge=1)]
    """Width times height that an image may have."""


class Model(_Line):
    """Which model to ask."""

    job_id: int
    key: str
    """Names these weights for good."""
    files: Path | None
    """A folder with the record and the weights under their artifacts' names; None where it is held already."""
    weights: Weights


class Picture(_Line):
    """An image as it came from outside."""

    name: str
    path: Path


class Question(_Line):
    """What is on these images?"""

    model: Model
    pictures: tuple[Picture, ...]
    options: Options


# ── up ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Trouble(_Line):
    """Why there is no answer: a stable code and a sentence."""

    code: str
    text: str


class Likely(_Line):
    """A class, and how likely it is."""

    name: str
    probability: float


class ClassShare(_Line):
    """A class of pixels, and how much of the image it covers."""

    name: str
    share: float
    colour: str
    """Of it in the mask and the overlay: `#ff8a26`."""


class SeenPixels(_Line):
    """The class of every pixel of one image."""

    width: int
    height: int
    """Of the mask; those of the image, unless that was shrunk."""
    shares: tuple[ClassShare, ...]
    """In the order of the classes."""
    mask: str
    """An indexed PNG in base64: each value is the index of a class. The first class is transparent when it is shown."""
    overlay: str
    """The image with the colours of the classes over it, a JPEG in base64."""


class Seen(_Line):
    """What is on one image, or why that cannot be told."""

    name: str
    classes: tuple[Likely, ...] = ()
    """The likeliest first; of models that tell pixels none."""
    pixels: SeenPixels | None = None
    """Of models that tell pixels."""
    problem: Trouble | None = None


class Result(_Line):
    """What is on the images, in the order in which they came."""

    classes: tuple[str, ...]
    """All that the model knows."""
    images: tuple[Seen, ...]


class Answer(_Line):
    """To one question: a result, or the trouble that kept it from being found."""

    result: Result | None = None
    trouble: Trouble | None = None
    held: tuple[str, ...]
    """Keys of the models that the predictor holds now."""
    resident_bytes: int
    """Main memory that the predictor holds now."""
