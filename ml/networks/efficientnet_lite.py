"""EfficientNet-Lite0 to -Lite2: EfficientNet for small devices, without squeeze-and-excitation, with ReLU6.

Tan, Le: EfficientNet: rethinking model scaling for convolutional neural networks (2019); the lite form is that of
Google's TPU repository (models/official/efficientnet/lite, 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from ml.networks.blocks import rounded
from ml.networks.efficientnet import HEAD_FILTERS, STAGES, STEM_FILTERS, EfficientNetOptions, lay_out
from ml.networks.graph import Draft, Network
from ml.networks.inverted import Block, Inverted
from ml.networks.layers import BatchNormalization, Rescaling
from ml.networks.mobilenet_v2 import finish_with_dropout


@dataclass(frozen=True)
class EfficientNetLite:
    """One of the family: called with (input shape, classes, options), it gives the network.

    With 1000 classes, Lite0, Lite1 and Lite2 have 4,694,024, 5,470,344 and 6,150,168 parameters, and train 4,652,008,
    5,416,680 and 6,092,072. The first and the last convolution are those of the smallest whatever the width, and the
    first and the last stage have one block whatever the depth. Raw images of 0 to 255 are brought to -127/128 to 1, as
    the original has them: (x - 127) / 128. Kernels begin as He et al. 2015 have them.
    """

    name: str
    width: float
    depth: float

    def __call__(self, input_shape: tuple[int, int, int], classes: int, options: EfficientNetOptions) -> Network:
        inverted = Inverted(BatchNormalization(momentum=options.norm_momentum, epsilon=1e-3))
        width = self.width * options.width
        draft = Draft(self.name, input_shape)
        draft.add("rescaling", Rescaling(1 / 128, -127 / 128))
        channels = rounded(STEM_FILTERS * options.width)
        inverted.convolve(draft, "c1", channels, 3, strides=1 if options.stem == "cifar" else 2)
        inner = [ceil(self.depth * stage.blocks) for stage in STAGES[1:-1]]
        repeats = [STAGES[0].blocks, *inner, STAGES[-1].blocks]
        for name, stage, strides, drop in lay_out(STAGES, repeats, options):
            wide, filters = channels * stage.expansion, rounded(stage.filters * width)
            block = Block(channels, wide, filters, stage.kernel_size, strides, drop=drop)
            channels = inverted.block(draft, name, block)
        inverted.convolve(draft, "c2", rounded(HEAD_FILTERS * options.width), 1)
        return finish_with_dropout(draft, classes, dropout=options.dropout)
