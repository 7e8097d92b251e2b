"""FCN-32s, FCN-16s, FCN-8s: a classifier judges places, and finer maps of it say where these end.

Long, Shelhamer, Darrell: Fully convolutional networks for semantic segmentation (2015), sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ml.networks.backbones import Backbone
from ml.networks.errors import NetworkError
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import Activation, Add, Conv2D, Conv2DTranspose, UpSampling2D
from ml.networks.unet import draft_dropout
from records.specs.base import Strict

COARSEST = 32


class FCNOptions(Strict):
    """The options of the FCNs."""

    backbone: Annotated[str, Field(max_length=100)] = "vgg16"
    """The classifier that they stand on; its last maps are 32 times smaller than the images."""
    backbone_width: Annotated[float, Field(ge=0.1, le=4.0)] = 1.0
    """What the number of filters of the backbone is multiplied by."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.5
    """Share of the last maps' values that is dropped in training."""


@dataclass(frozen=True)
class FCN:
    """One of the three: called with (input shape, classes, options, backbone), it gives the network.

    The classes are judged on the last maps, at a 32th of the image's size. FCN-16s doubles that by a transposed
    convolution, which begins bilinear and learns, and adds what a 1 x 1 convolution says of maps twice as large; FCN-8s
    does so once more. What is left to the image's size is interpolated bilinearly and learns nothing, as in the paper.

    Where we differ: the backbone ends before its dense layers (the paper turns these into convolutions too, see
    `ml.networks.convolutional`); layers pad instead of a border of 100 px around the image; and the finer maps are the
    last of their size, where the paper takes the first, behind the pooling.
    """

    stride: int
    """Of the finest maps that are judged."""

    def __call__(
        self, input_shape: tuple[int, int, int], classes: int, options: FCNOptions, backbone: Backbone | None
    ) -> Network:
        assert backbone is not None
        _check(backbone, self.stride)
        draft = Draft(f"fcn{self.stride}s_{backbone.name}", input_shape)
        last = draft_dropout(draft, "dropout_last", options.dropout, after=backbone.draw(draft))
        judged = draft.add(f"score{COARSEST}", Conv2D(classes, 1), after=last)
        stride = COARSEST
        while stride > self.stride:
            stride //= 2
            up = Conv2DTranspose(classes, 4, strides=2, padding="same", use_bias=False, kernel_initializer="bilinear")
            twice = draft.add(f"up{stride}", up, after=judged)
            finer = draft.add(f"score{stride}", Conv2D(classes, 1), after=backbone.taps[stride])
            judged = draft.add(f"sum{stride}", Add(), after=(twice, finer))
        draft.add(LOGITS, UpSampling2D(stride, interpolation="bilinear"), after=judged)
        draft.add(PROBABILITIES, Activation("softmax"))
        return draft.finish()


def _check(backbone: Backbone, finest: int) -> None:
    wanted = [stride for stride in (8, 16, 32) if stride >= finest]
    if backbone.stride != COARSEST or not set(wanted) <= set(backbone.taps):
        has = ", ".join(str(stride) for stride in sorted(backbone.taps))
        raise NetworkError(
            "network.options.backbone",
            f"Expected a backbone whose maps are {', '.join(map(str, wanted))} times smaller than the images, got "
            f"{backbone.name}, whose maps are {has} times smaller. Choose one made for images of some 224 px, such as "
            "vgg16 or resnet18.",
        )
