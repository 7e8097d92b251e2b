"""DeepLab v3+: windows that are spread instead of maps that shrink, and one fine map for the borders.

Chen, Zhu, Papandreou, Schroff, Adam: Encoder-decoder with atrous separable convolution for semantic image segmentation
(2018), figures 2 and 4.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ml.networks.backbones import Backbone
from ml.networks.blocks import MOMENTUM, Momentum, convolve
from ml.networks.errors import NetworkError
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import (
    Activation,
    BatchNormalization,
    Concatenate,
    Conv2D,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    UpSampling2D,
)
from ml.networks.unet import draft_dropout
from records.specs.base import Strict

RATES = (6, 12, 18)
"""How far the windows are spread, at maps 16 times smaller than the images; twice as far at 8 times."""
FINE = 4
"""How many times smaller the fine map is than the images."""


class DeepLabOptions(Strict):
    """The options of DeepLab v3+."""

    backbone: Annotated[str, Field(max_length=100)] = "mobilenet_v2"
    """The classifier that it stands on."""
    backbone_width: Annotated[float, Field(ge=0.1, le=4.0)] = 1.0
    """What the number of filters of the backbone is multiplied by."""
    output_stride: Literal[8, 16] = 16
    """How many times smaller than the images the backbone's last maps are."""
    filters: Annotated[int, Field(ge=8, le=512)] = 256
    """Of each branch over the last maps, and on the way up."""
    fine_filters: Annotated[int, Field(ge=4, le=256)] = 48
    """That the fine map is narrowed to."""
    norm_momentum: Momentum = MOMENTUM
    """Share of the old mean and variance that a batch norm keeps at each step."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.1
    """Share of the joined branches' values that is dropped in training."""


def deeplab_v3plus(
    input_shape: tuple[int, int, int], classes: int, options: DeepLabOptions, backbone: Backbone | None
) -> Network:
    """DeepLab v3+ on an atrous backbone (`ml.networks.backbones.make_atrous`), for raw images of 0 to 255.

    Five branches look at the last maps: each place alone, windows of 3 x 3 spread at three rates, and the mean of the
    whole. Spread windows work map by map with a 1 x 1 convolution behind, as in the paper's section 3.1.
    """
    assert backbone is not None
    if FINE not in backbone.taps or backbone.stride != options.output_stride:
        raise NetworkError(
            "network.options.backbone",
            f"Expected a backbone with maps {FINE} and {options.output_stride} times smaller than the images, got "
            f"{backbone.name}, whose last are {backbone.stride} times smaller. Choose another, such as mobilenet_v2.",
        )
    norm = BatchNormalization(momentum=options.norm_momentum)
    draft = Draft(f"deeplab_v3plus_{backbone.name}", input_shape)
    last = backbone.draw(draft)
    _draw_pyramid(draft, last, options, norm, sides=tuple(side // options.output_stride for side in input_shape[:2]))
    coarse = draft.add("up_coarse", UpSampling2D(options.output_stride // FINE, interpolation="bilinear"))
    fine = convolve(draft, "fine", _pointwise(options.fine_filters), norm=norm, after=backbone.taps[FINE])
    draft.add("join", Concatenate(), after=(fine, coarse))
    for number in (1, 2):
        _draw_spread(draft, f"refine{number}", draft.last, options.filters, norm, rate=1)
    draft.add("score", Conv2D(classes, 1))
    draft.add(LOGITS, UpSampling2D(FINE, interpolation="bilinear"))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def _draw_pyramid(
    draft: Draft, last: str, options: DeepLabOptions, norm: BatchNormalization, *, sides: tuple[int, ...]
) -> str:
    filters, times = options.filters, 16 // options.output_stride
    branches = [convolve(draft, "aspp1", _pointwise(filters), norm=norm, after=last)]
    for rate in RATES:
        branches.append(_draw_spread(draft, f"aspp_rate{rate}", last, filters, norm, rate=rate * times))
    draft.add("aspp_mean", GlobalAveragePooling2D(keepdims=True), after=last)
    convolve(draft, "aspp_whole", _pointwise(filters), norm=norm)
    branches.append(draft.add("aspp_whole_up", UpSampling2D(sides)))
    draft.add("aspp_join", Concatenate(), after=branches)
    joined = convolve(draft, "aspp", _pointwise(filters), norm=norm)
    return draft_dropout(draft, "aspp_dropout", options.dropout, after=joined)


def _draw_spread(draft: Draft, name: str, after: str, filters: int, norm: BatchNormalization, *, rate: int) -> str:
    """A spread 3 x 3 window map by map, then all maps together."""
    layer = DepthwiseConv2D(
        3, padding="same", use_bias=False, depthwise_initializer="he_normal", dilation_rate=(rate, rate)
    )
    convolve(draft, f"{name}_depthwise", layer, norm=norm, after=after)
    return convolve(draft, name, _pointwise(filters), norm=norm)


def _pointwise(filters: int) -> Conv2D:
    return Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal")
