"""ResNet-20 to -56 for small images: three stages of 16, 32 and 64 maps.

He, Zhang, Ren, Sun: Deep residual learning for image recognition (2015), section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml.networks.blocks import Width, scaled
from ml.networks.graph import Draft, Network
from ml.networks.layers import Rescaling
from ml.networks.residual import Residual, Shortcut
from ml.networks.resnet import finish_with_means
from records.specs.base import Strict


class SmallResNetOptions(Strict):
    """The options of the ResNets for small images."""

    shortcut: Shortcut = "identity"
    """Where maps become smaller and more: `identity` takes every second pixel and adds maps of zeros, without
    parameters (option A of the paper); `projection` is a 1 x 1 convolution (option B)."""
    width: Width = 1.0
    """What the number of filters is multiplied by."""


@dataclass(frozen=True)
class SmallResNet:
    """One of the family: called with (input shape, classes, options), it gives the network.

    `blocks` a stage make 6 · blocks + 2 layers with weights: ResNet-20, 32, 44 and 56. On colour images of 10 classes
    they train 269,722, 464,154, 658,586 and 853,018 parameters (the paper: 0.27, 0.46, 0.66 and 0.85 million); with
    shortcuts that are projections, 2,752 more.

    It takes raw images of 0 to 255 of any size, brought to -1 to 1; the paper's are 32 x 32 px, without their mean.
    """

    name: str
    blocks: int

    def __call__(self, input_shape: tuple[int, int, int], classes: int, options: SmallResNetOptions) -> Network:
        residual = Residual(shortcut=options.shortcut)
        draft = Draft(self.name, input_shape)
        draft.add("rescaling", Rescaling(1 / 127.5, -1.0))
        channels = scaled(16, options.width)
        residual.convolve(draft, "c1", channels, 3)
        for stage, filters in enumerate((16, 32, 64), start=1):
            for number in range(1, self.blocks + 1):
                strides = 2 if number == 1 and stage > 1 else 1
                filters_now = scaled(filters, options.width)
                name = f"s{stage}_{number}"
                channels = residual.basic(draft, name, channels=channels, filters=filters_now, strides=strides)
        return finish_with_means(draft, classes)
