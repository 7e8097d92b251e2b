"""U-Net: down to small maps that know what, and up again beside large maps that know where.

Ronneberger, Fischer, Brox: U-Net: convolutional networks for biomedical image segmentation (2015), figure 1.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ml.networks.backbones import Backbone
from ml.networks.blocks import MOMENTUM, Momentum, convolve
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import (
    Activation,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Conv2DTranspose,
    Dropout,
    MaxPooling2D,
    Rescaling,
    UpSampling2D,
)
from records.specs.base import Strict

OWN = "own"
"""The encoder of the paper, which has no weights from elsewhere."""


class UNetOptions(Strict):
    """The options of U-Net."""

    backbone: Annotated[str, Field(max_length=100)] = OWN
    """A classifier whose layers are the way down; `own` for that of the paper."""
    backbone_width: Annotated[float, Field(ge=0.1, le=4.0)] = 1.0
    """What the number of filters of a named backbone is multiplied by."""
    filters: Annotated[int, Field(ge=4, le=256)] = 32
    """Of the largest maps; each time that maps are halved there are twice as many. The paper has 64."""
    depth: Annotated[int, Field(ge=1, le=6)] = 4
    """How often the own encoder halves the maps."""
    upsampling: Literal["transpose", "bilinear"] = "transpose"
    """What makes maps larger on the way up: a transposed convolution, as in the paper, or interpolation and a 1 x 1
    convolution."""
    batch_norm: bool = True
    """Whether a batch norm follows each 3 x 3 convolution; the paper has none."""
    norm_momentum: Momentum = MOMENTUM
    """Share of the old mean and variance that a batch norm keeps at each step."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.0
    """Share of the smallest maps' values that is dropped in training."""


def unet(
    input_shape: tuple[int, int, int], classes: int, options: UNetOptions, backbone: Backbone | None = None
) -> Network:
    """U-Net for raw images of 0 to 255 whose sides its smallest maps divide.

    With 64 filters, no batch norm and one grey channel it has the 31,030,593 parameters of the paper for one class, and
    65 more for two. Convolutions pad, so that what comes out is as large as what goes in; the paper's do not, and lose
    a border. On a backbone the way up begins at its last maps and meets its largest of each size.
    """
    draft = Draft("unet" if backbone is None else f"unet_{backbone.name}", input_shape)
    if backbone is None:
        last, stride, skips = _draw_down(draft, options)
    else:
        last, stride, skips = backbone.draw(draft), backbone.stride, dict(backbone.taps)
    draft_dropout(draft, "dropout_middle", options.dropout, after=last)
    while stride > 1:
        stride //= 2
        filters = min(options.filters * stride, 1024)
        _draw_up(draft, f"d{stride}", filters, options, skip=skips.get(stride))
    draft.add(LOGITS, Conv2D(classes, 1))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def draft_dropout(draft: Draft, name: str, rate: float, *, after: str) -> str:
    """Dropout where there is some; the name of what follows on."""
    return draft.add(name, Dropout(rate), after=after) if rate else after


def _draw_down(draft: Draft, options: UNetOptions) -> tuple[str, int, dict[int, str]]:
    """The paper's encoder: its last layer, how much smaller its maps are, and those to meet again by their size."""
    draft.add("rescaling", Rescaling(1 / 255))
    skips, stride = {}, 1
    for _ in range(options.depth):
        skips[stride] = _draw_pair(draft, f"e{stride}", options.filters * stride, options)
        draft.add(f"e{stride}_pool", MaxPooling2D(2))
        stride *= 2
    return _draw_pair(draft, f"e{stride}", options.filters * stride, options), stride, skips


def _draw_up(draft: Draft, name: str, filters: int, options: UNetOptions, *, skip: str | None) -> None:
    if options.upsampling == "transpose":
        up = draft.add(f"{name}_up", Conv2DTranspose(filters, 2, strides=2, kernel_initializer="he_normal"))
    else:
        draft.add(f"{name}_up", UpSampling2D(2, interpolation="bilinear"))
        up = draft.add(f"{name}_up_narrow", Conv2D(filters, 1, kernel_initializer="he_normal"))
    if skip is not None:
        draft.add(f"{name}_join", Concatenate(), after=(skip, up))
    _draw_pair(draft, name, filters, options)


def _draw_pair(draft: Draft, name: str, filters: int, options: UNetOptions) -> str:
    """Two 3 x 3 convolutions."""
    norm = BatchNormalization(momentum=options.norm_momentum) if options.batch_norm else None
    for number in (1, 2):
        layer = Conv2D(filters, 3, padding="same", use_bias=norm is None, kernel_initializer="he_normal")
        convolve(draft, f"{name}_{number}", layer, norm=norm)
    return draft.last
