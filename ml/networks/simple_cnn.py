"""Unpadded convolutions of one size, one after the other, with no pooling, then a single dense layer.

An, Lee, Park, Yang, So: An ensemble of simple convolutional neural network models for MNIST digit recognition (2020).
"""

from __future__ import annotations

from typing import Literal

from ml.networks.blocks import MOMENTUM, Width, convolve, scaled
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import Activation, BatchNormalization, Conv2D, Dense, Flatten, Rescaling
from records.specs.base import Strict

FILTERS: dict[int, tuple[int, ...]] = {
    3: (32, 48, 64, 80, 96, 112, 128, 144, 160, 176),
    5: (32, 64, 96, 128, 160),
    7: (48, 96, 144, 192),
}
"""Filters of each convolution, by the side of its kernel: the paper's M3, M5 and M7."""


class SimpleCNNOptions(Strict):
    """The options of the simple convolutional network."""

    kernel: Literal[3, 5, 7] = 3
    """Pixels a side of every kernel: 3 makes ten convolutions (the paper's M3), 5 five (M5), 7 four (M7)."""
    width: Width = 1.0
    """What the filters of every convolution are multiplied by."""


def simple_cnn(input_shape: tuple[int, int, int], classes: int, options: SimpleCNNOptions) -> Network:
    """M3, M5 or M7 for raw images of 0 to 255, which are brought to -1 to 1.

    Maps shrink by a kernel's border at each convolution and by nothing else. No layer has a bias but the batch norms,
    one of which follows the dense layer too: what it gives are the logits. He's initial weights for the convolutions;
    the authors have PyTorch's.

    Expect of each kernel about 99.8 % of MNIST's test images right after 150 epochs, as the paper says: with shifts of
    20 % and turns of 20 degrees, Adam at 1e-3, the rate times 0.98 an epoch, and weights averaged at 0.999.
    """
    draft = Draft("simple_cnn", input_shape)
    draft.add("rescaling", Rescaling(1 / 127.5, -1.0))
    for number, filters in enumerate(FILTERS[options.kernel], start=1):
        layer = Conv2D(scaled(filters, options.width), options.kernel, use_bias=False, kernel_initializer="he_normal")
        convolve(draft, f"c{number}", layer, norm=_norm())
    draft.add("flatten", Flatten())
    draft.add("f", Dense(classes, use_bias=False))
    draft.add(LOGITS, _norm())
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def _norm() -> BatchNormalization:
    return BatchNormalization(momentum=MOMENTUM, epsilon=1e-5)
