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


class SeenImage(View):
    """What is on one image, or why that cannot be told."""

    name: str
    """As it was sent."""
    classes: list[LikelyClass]
    """The likeliest first; empty where there is a problem."""
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
