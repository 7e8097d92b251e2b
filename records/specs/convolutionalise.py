"""The spec of `kind: convolutionalise`: a trained classifier becomes one that slides over larger images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from records.specs.base import BaseSpec
from records.specs.earlier import EarlierRun

Side = Annotated[int, Field(ge=1, le=8_192)]


class ConvolutionaliseSpec(BaseSpec):
    """Make a trained classifier fully convolutional, and prove that it says the same."""

    kind: Literal["convolutionalise"] = "convolutionalise"
    run: EarlierRun
    """The classifier."""
    canvas: tuple[Side, Side] | None = None
    """Height and width of the larger images on which it is tried, in pixels; four times its own size when left out."""
    global_pooling: Literal["window", "drop"] = "window"
    """A mean over whole maps: `window` keeps it, over the classifier's own window; `drop` leaves it out, which gives
    class-activation maps (Zhou et al. 2016)."""
    images: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Test images on which both are compared at the classifier's own size."""
    canvases: Annotated[int, Field(ge=1, le=100)] = 4
    """Larger images, test images scattered over each, on which the map is compared with the classifier slid over it."""
    places: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Windows of each canvas that are compared."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Which images are taken, where they lie and which windows are compared follows from it."""
