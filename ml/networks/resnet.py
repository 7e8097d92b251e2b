"""ResNet-18 to -152 and SE-ResNets, for photographs and, with another stem, for small images.

He, Zhang, Ren, Sun: Deep residual learning for image recognition (2015), table 1.
Hu, Shen, Albanie, Sun, Wu: Squeeze-and-excitation networks (2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ml.networks.blocks import MOMENTUM, Momentum, Stem, Width, scaled
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import (
    Activation,
    BatchNormalization,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ZeroPadding2D,
)
from ml.networks.pixels import Pixels, draw_pixels
from ml.networks.residual import Residual
from records.specs.base import Strict


class ResNetOptions(Strict):
    """The options of ResNet-18 and -34."""

    stem: Stem = "imagenet"
    """`cifar`: the first convolution is 3 x 3, and neither it nor a pooling makes maps smaller."""
    width: Width = 1.0
    """What the number of filters is multiplied by."""
    conv_bias: bool = False
    """Whether convolutions have biases, as Keras's own ResNets do; batch norm makes them useless."""
    norm_momentum: Momentum = MOMENTUM
    """Share of the old mean and variance that a batch norm keeps at each step."""
    norm_epsilon: Annotated[float, Field(gt=0.0, le=1.0)] = 1e-5
    """What a batch norm adds to the variance; Keras's own ResNets have 1.001e-5."""
    pixels: Pixels = "tf"
    """What the network is fed. `tf`: -1 to 1; `torch`: less ImageNet's mean, by its deviation; `caffe`: blue, green,
    red, less ImageNet's means, as Keras's own ResNets want them."""


class BottleneckOptions(ResNetOptions):
    """The options of ResNet-50 and deeper."""

    stride_in: Literal["1x1", "3x3"] = "1x1"
    """Which convolution of a block makes maps smaller: the first, as in the paper, or the second ("v1.5")."""


class SEResNetOptions(ResNetOptions):
    """The options of SE-ResNet-18 and -34."""

    squeeze_ratio: Annotated[int, Field(ge=1, le=64)] = 16
    """How many times fewer units than maps there are in the middle of each squeeze-and-excitation."""


class SEBottleneckOptions(BottleneckOptions):
    """The options of SE-ResNet-50."""

    squeeze_ratio: Annotated[int, Field(ge=1, le=64)] = 16
    """How many times fewer units than maps there are in the middle of each squeeze-and-excitation."""


@dataclass(frozen=True)
class ResNet:
    """One of the family: called with (input shape, classes, options), it gives the network.

    With 1000 classes, ResNet-18, 34, 50, 101 and 152 train 11,689,512, 21,797,672, 25,557,032, 44,549,160 and
    60,192,808 parameters; the SE-ResNets 11,778,592, 21,958,868 and 28,088,024. `conv_bias`, `norm_epsilon` of 1.001e-5
    and `pixels` of `caffe` make Keras's ResNet50, ResNet101 and ResNet152 of ResNet-50, -101 and -152: 25,636,712,
    44,707,176 and 60,419,944 with the moving means and variances.

    It takes raw images of 0 to 255 of any size; `pixels` says what they are brought to. Shortcuts are projections where
    maps change (option B of the paper), batch norm follows each convolution, kernels begin as He et al. 2015 have them.
    The stem pads with zeros as Keras's does; 3 x 3 convolutions pad as Keras's `same`, below and right on even sizes.
    """

    name: str
    blocks: tuple[int, int, int, int]
    """Residual blocks in each stage."""
    bottleneck: bool = False

    def __call__(self, input_shape: tuple[int, int, int], classes: int, options: ResNetOptions) -> Network:
        norm = BatchNormalization(momentum=options.norm_momentum, epsilon=options.norm_epsilon)
        chosen = options.model_dump(include={"conv_bias", "stride_in", "squeeze_ratio"})
        residual = Residual(**chosen, norm=norm)
        draft = Draft(self.name, input_shape)
        draw_pixels(draft, options.pixels, channels=input_shape[2])
        channels = scaled(64, options.width)
        _draw_stem(draft, residual, channels, options.stem)
        block = residual.bottleneck if self.bottleneck else residual.basic
        for stage, (filters, blocks) in enumerate(zip((64, 128, 256, 512), self.blocks, strict=True), start=2):
            for number in range(1, blocks + 1):
                strides = 2 if number == 1 and stage > 2 else 1
                filters_now = scaled(filters, options.width)
                channels = block(draft, f"s{stage}_{number}", channels=channels, filters=filters_now, strides=strides)
        return finish_with_means(draft, classes)


def finish_with_means(draft: Draft, classes: int) -> Network:
    """The mean of each map, then one dense layer to the classes."""
    draft.add("pool", GlobalAveragePooling2D())
    draft.add(LOGITS, Dense(classes))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def _draw_stem(draft: Draft, residual: Residual, filters: int, stem: Stem) -> None:
    if stem == "cifar":
        residual.convolve(draft, "c1", filters, 3)
        return
    draft.add("c1_padding", ZeroPadding2D(3))
    residual.convolve(draft, "c1", filters, 7, strides=2, padding="valid")
    draft.add("p1_padding", ZeroPadding2D(1))
    draft.add("p1", MaxPooling2D(3, strides=2))
