"""What trained models say of images."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.views.base import Reason, View


class LikelyClass(View):
    """A class, and how likely it is."""

    name: str
    probability: float = Field(ge=0, le=1)


class PixelShare(View):
    """A class of pixels, and how much of an image it covers."""

    name: str
    share: float = Field(ge=0, le=1)
    colour: str
    """Of it in the mask and the overlay: `#ff8a26`."""


class SeenPixels(View):
    """The class of every pixel of one image."""

    width: int
    height: int
    """Of the mask: those of the image, upright, unless it was shrunk to 2,048 px."""
    shares: list[PixelShare]
    """In the order of the classes."""
    mask: str
    """An indexed PNG in base64: each value is the index of a class. The first class is transparent when it is shown."""
    overlay: str
    """The image with the colours of the classes over it, a JPEG of at most 1,024 px in base64."""


class SeenImage(View):
    """What is on one image, or why that cannot be told."""

    name: str
    """As it was sent."""
    classes: list[LikelyClass]
    """The likeliest first; empty where there is a problem, and of models that tell pixels."""
    pixels: SeenPixels | None = None
    """Of models that tell pixels; null of others, and where there is a problem."""
    problem: Reason | None


class Prediction(View):
    """What a trained model says of some images."""

    id: int
    job_id: int
    """The job that trained the model."""
    status: Literal["waiting", "running", "done", "failed"]
    reason: Reason | None
    """Why it failed."""
    weights: Literal["best", "last"]
    top: int
    invert: bool
    classes: list[str]
    """All that the model knows; empty until it is done."""
    images: list[SeenImage]
    """In the order in which they came; empty until it is done."""
    seconds: float | None
    """From the question to the answer; null until it is done or failed."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
