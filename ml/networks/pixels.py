"""What networks are fed: the ranges of pixel values that people agreed on, as layers in front of a network.

Every network here takes raw values of 0 to 255, red before green before blue; the rest is part of it, so that nobody
can forget it.
"""

from __future__ import annotations

from typing import Literal

from ml.networks.graph import Draft
from ml.networks.layers import ChannelOrder, Rescaling

Pixels = Literal["tf", "torch", "caffe"]
"""`tf`: -1 to 1. `torch`: 0 to 1, then less ImageNet's mean and divided by its deviation, for each channel. `caffe`:
less ImageNet's means, not scaled, and blue before green before red. The names are those of `keras.applications`."""

TORCH_MEAN, TORCH_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Red, green, blue, of values 0 to 1."""
CAFFE_MEAN = (123.68, 116.779, 103.939)
"""Red, green, blue, of values 0 to 255."""


def draw_pixels(draft: Draft, pixels: Pixels, *, channels: int) -> str:
    """The layers that bring raw values to what a network wants; returns the last one's name.

    Images of other than three channels take the mean of the three channels' numbers, and keep their order.
    """
    if pixels == "tf":
        return draft.add("rescaling", Rescaling(1 / 127.5, -1.0))
    colour = channels == 3
    if pixels == "torch":
        scales = tuple(1 / (255 * deviation) for deviation in TORCH_DEVIATION)
        offsets = tuple(-mean / deviation for mean, deviation in zip(TORCH_MEAN, TORCH_DEVIATION, strict=True))
        return draft.add(
            "rescaling", Rescaling(scales, offsets) if colour else Rescaling(_mean(scales), _mean(offsets))
        )
    offsets = tuple(-mean for mean in CAFFE_MEAN)
    last = draft.add("rescaling", Rescaling(1.0, offsets if colour else _mean(offsets)))
    return draft.add("channel_order", ChannelOrder((2, 1, 0))) if colour else last


def _mean(numbers: tuple[float, ...]) -> float:
    return sum(numbers) / len(numbers)
