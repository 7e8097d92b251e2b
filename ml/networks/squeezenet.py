"""SqueezeNet 1.1: modules that squeeze maps before they widen them, as accurate as AlexNet with a fiftieth of it.

Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
< 0.5 MB model size (2016). Version 1.1 is the authors' own, of the same year: it computes 2.4 times less.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ml.networks.blocks import Stem, Width, convolve, scaled
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import Activation, Concatenate, Conv2D, Dropout, GlobalAveragePooling2D, MaxPooling2D
from ml.networks.pixels import Pixels, draw_pixels
from records.specs.base import Strict

MODULES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}
"""Filters that squeeze, and of each of the two sizes that widen, by the number of the module."""
LAST_OF_STAGE = (3, 5)
"""The modules that maps are made smaller after."""


class SqueezeNetOptions(Strict):
    """The options of SqueezeNet."""

    stem: Stem = "imagenet"
    """`cifar`: the first convolution pads and has no strides, and no pooling follows it."""
    width: Width = 1.0
    """What the number of filters is multiplied by."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.5
    """Share of the last module's outputs that is dropped in training."""
    pixels: Pixels = "caffe"
    """What the network is fed. `tf`: -1 to 1; `torch`: less ImageNet's mean, by its deviation; `caffe`: blue, green,
    red, less ImageNet's means, as the authors have it."""


def squeezenet(input_shape: tuple[int, int, int], classes: int, options: SqueezeNetOptions) -> Network:
    """SqueezeNet 1.1 for raw images of 0 to 255.

    With 1000 classes it has 1,235,496 parameters. The classes are maps of the last convolution, and the logits their
    means: no dense layer. As in the authors' files, a ReLU stands between. Its poolings leave out what does not fill a
    window, where Caffe's round up; at 224 px that is the same. Kernels begin as He et al. 2015 have them.
    """
    draft = Draft("squeezenet", input_shape)
    draw_pixels(draft, options.pixels, channels=input_shape[2])
    _draw_stem(draft, options)
    for number, (squeeze, widen) in MODULES.items():
        _fire(draft, f"fire{number}", scaled(squeeze, options.width), scaled(widen, options.width))
        if number in LAST_OF_STAGE:
            draft.add(f"p{number}", MaxPooling2D(3, strides=2))
    if options.dropout:
        draft.add("dropout", Dropout(options.dropout))
    convolve(draft, "c10", Conv2D(classes, 1, kernel_initializer="he_normal"))
    draft.add(LOGITS, GlobalAveragePooling2D())
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def _draw_stem(draft: Draft, options: SqueezeNetOptions) -> None:
    filters = scaled(64, options.width)
    if options.stem == "cifar":
        convolve(draft, "c1", Conv2D(filters, 3, padding="same", kernel_initializer="he_normal"))
        return
    convolve(draft, "c1", Conv2D(filters, 3, strides=2, kernel_initializer="he_normal"))
    draft.add("p1", MaxPooling2D(3, strides=2))


def _fire(draft: Draft, name: str, squeeze: int, widen: int) -> str:
    """Few maps by a 1 x 1 convolution, then many by one of 1 x 1 and one of 3 x 3 side by side."""
    narrow = convolve(draft, f"{name}_squeeze", Conv2D(squeeze, 1, kernel_initializer="he_normal"))
    small = convolve(draft, f"{name}_1x1", Conv2D(widen, 1, kernel_initializer="he_normal"), after=narrow)
    layer = Conv2D(widen, 3, padding="same", kernel_initializer="he_normal")
    large = convolve(draft, f"{name}_3x3", layer, after=narrow)
    return draft.add(name, Concatenate(), after=(small, large))
