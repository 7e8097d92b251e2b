"""VGG-16 and VGG-19: 3 x 3 convolutions one after the other, then dense layers.

Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition (2014), table 1, D and E.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ml.networks.blocks import Stem, Width, convolve, scaled
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from ml.networks.pixels import Pixels, draw_pixels
from ml.networks.resnet import finish_with_means
from records.specs.base import Strict

FILTERS = (64, 128, 256, 512, 512)


class VGGOptions(Strict):
    """The options of VGG."""

    head: Literal["dense", "means"] = "dense"
    """`dense`: two hidden layers over all the last maps, as in the paper. `means`: the mean of each map and no hidden
    layer, which is a tenth of the parameters and the usual end for fine-tuning."""
    stem: Stem = "imagenet"
    """`cifar`: no pooling after the first stage, for images of 16 to 64 px."""
    width: Width = 1.0
    """What the number of filters is multiplied by."""
    hidden: Annotated[int, Field(ge=1, le=16_384)] = 4096
    """Units of each of the two hidden dense layers."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.5
    """Share of the outputs of each hidden dense layer that is dropped in training."""
    pixels: Pixels = "caffe"
    """What the network is fed. `tf`: -1 to 1; `torch`: less ImageNet's mean, by its deviation; `caffe`: blue, green,
    red, less ImageNet's means, which is the paper's."""


@dataclass(frozen=True)
class VGG:
    """One of the two: called with (input shape, classes, options), it gives the network.

    With 1000 classes, VGG-16 has 138,357,544 parameters and VGG-19 143,667,240; without the dense layers, 14,714,688
    and 20,024,384. It takes raw images of 0 to 255. Dropout follows both hidden layers, as in the paper, where Keras's
    own has none. Kernels begin as He et al. 2015 have them, where the paper has normal noise of 0.01.
    """

    name: str
    convolutions: tuple[int, int, int, int, int]
    """In each stage."""

    def __call__(self, input_shape: tuple[int, int, int], classes: int, options: VGGOptions) -> Network:
        draft = Draft(self.name, input_shape)
        draw_pixels(draft, options.pixels, channels=input_shape[2])
        for stage, (filters, count) in enumerate(zip(FILTERS, self.convolutions, strict=True), start=1):
            for number in range(1, count + 1):
                layer = Conv2D(scaled(filters, options.width), 3, padding="same", kernel_initializer="he_normal")
                convolve(draft, f"c{stage}_{number}", layer)
            if stage > 1 or options.stem == "imagenet":
                draft.add(f"p{stage}", MaxPooling2D(2))
        if options.head == "means":
            return finish_with_means(draft, classes)
        draft.add("flatten", Flatten())
        for name in ("f6", "f7"):
            _draw_hidden(draft, name, options)
        draft.add(LOGITS, Dense(classes))
        draft.add(PROBABILITIES, Activation("softmax"))
        return draft.finish()


def _draw_hidden(draft: Draft, name: str, options: VGGOptions) -> None:
    draft.add(name, Dense(options.hidden, kernel_initializer="he_normal"))
    draft.add(f"{name}_activation", Activation("relu"))
    if options.dropout:
        draft.add(f"{name}_dropout", Dropout(options.dropout))
