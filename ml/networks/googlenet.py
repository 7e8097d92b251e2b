"""GoogLeNet: nine inception modules, each four branches side by side; and the same with squeeze-and-excitation.

Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: Going deeper with convolutions (2014).
Hu, Shen, Albanie, Sun, Wu: Squeeze-and-excitation networks (2018).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ml.networks.blocks import Downsampling, Stem, Width, downsample, scaled
from ml.networks.graph import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.inception import Branches, Convolutions, inception
from ml.networks.layers import (
    Activation,
    AveragePooling2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    LocalResponseNormalization,
    Rescaling,
)
from records.specs.base import Strict

MODULES = {
    "3a": Branches(64, 96, 128, 16, 32, 32),
    "3b": Branches(128, 128, 192, 32, 96, 64),
    "4a": Branches(192, 96, 208, 16, 48, 64),
    "4b": Branches(160, 112, 224, 24, 64, 64),
    "4c": Branches(128, 128, 256, 24, 64, 64),
    "4d": Branches(112, 144, 288, 32, 64, 64),
    "4e": Branches(256, 160, 320, 32, 128, 128),
    "5a": Branches(256, 160, 320, 32, 128, 128),
    "5b": Branches(384, 192, 384, 48, 128, 128),
}
"""Filters of each module (table 1 of the paper)."""

LAST_OF_STAGE = {"3b": "p3", "4e": "p4"}
"""The modules that maps are made smaller after, and the name of the layer that does it."""

HEADS_AFTER = {"4a": "head_1", "4d": "head_2"}
HEAD_WEIGHT = 0.3


class InceptionOptions(Strict):
    """What GoogLeNet and SE-Inception have in common."""

    stem: Stem = "imagenet"
    """`cifar`: two convolutions of 3 x 3 lead to the first module without making maps smaller."""
    downsampling: Downsampling = "max_pooling"
    """What makes maps smaller between the stages, and in the stem: a window of 3 x 3 with strides of 2."""
    width: Width = 1.0
    """What the number of filters is multiplied by, and of hidden units in auxiliary heads."""
    dropout: Annotated[float, Field(ge=0.0, le=0.9)] = 0.4
    """Share of the last means that is dropped in training."""


class GoogLeNetOptions(InceptionOptions):
    """The options of GoogLeNet."""

    normalization: Literal["response", "batch", "none"] = "response"
    """Local response normalisation in the stem as in the paper; batch norm after every convolution; or nothing."""
    auxiliary: bool = True
    """Whether two small classifiers in the middle help training; they are left out of the model that is kept."""


class SEInceptionOptions(InceptionOptions):
    """The options of SE-Inception."""

    squeeze_ratio: Annotated[int, Field(ge=1, le=64)] = 16
    """How many times fewer units than maps there are in the middle of each squeeze-and-excitation."""


def googlenet(input_shape: tuple[int, int, int], classes: int, options: GoogLeNetOptions) -> Network:
    """GoogLeNet (Inception v1) for raw images of 0 to 255.

    With 1000 classes it has 6,998,552 parameters, and 13,378,280 in training, with both auxiliary heads. Their losses
    count 0.3 each, and they drop 70 % of their hidden outputs, as in the paper. With them, images need 65 px a side
    (9 with the stem `cifar`), since they take means over 5 x 5 windows.

    Where the paper leaves it open: local response normalisation has AlexNet's values; layers pad as Keras's `same`,
    which gives all of the paper's sizes; kernels begin as He et al. have them; pixels are brought to -1 to 1. With
    `normalization` of `batch`, convolutions have no biases, as in Ioffe and Szegedy 2015, but the modules stay.
    """
    convolutions = Convolutions(options.width, batch_norm=options.normalization == "batch")
    draft = Draft("googlenet", input_shape)
    _draw_stem(draft, convolutions, options, response_norm=options.normalization == "response")
    last = _draw_modules(draft, convolutions, options)
    if options.auxiliary:
        for module, name in HEADS_AFTER.items():
            _draw_head(draft, name, classes, convolutions, after=f"i{module}")
    return _finish(draft, classes, options, after=last)


def se_inception(input_shape: tuple[int, int, int], classes: int, options: SEInceptionOptions) -> Network:
    """SE-Inception for raw images of 0 to 255: each inception module ends with a squeeze-and-excitation.

    Hu et al. take the modules of BN-Inception, which has two convolutions of 3 x 3 in place of the one of 5 x 5; here
    they are GoogLeNet's, with batch norm after every convolution, so that the two can be compared. No auxiliary heads,
    as in their paper.
    """
    convolutions = Convolutions(options.width, batch_norm=True)
    draft = Draft("se_inception", input_shape)
    _draw_stem(draft, convolutions, options, response_norm=False)
    last = _draw_modules(draft, convolutions, options, squeeze_ratio=options.squeeze_ratio)
    return _finish(draft, classes, options, after=last)


def _draw_stem(draft: Draft, convolutions: Convolutions, options: InceptionOptions, *, response_norm: bool) -> None:
    width = options.width
    draft.add("rescaling", Rescaling(1 / 127.5, -1.0))
    if options.stem == "cifar":
        convolutions.draw(draft, "c1", 64, 3)
        convolutions.draw(draft, "c2", 192, 3)
        return
    convolutions.draw(draft, "c1", 64, 7, strides=2)
    downsample(draft, "p1", options.downsampling, channels=scaled(64, width), window=3, strides=2, padding="same")
    if response_norm:
        draft.add("n1", LocalResponseNormalization())
    convolutions.draw(draft, "c2_reduce", 64, 1)
    convolutions.draw(draft, "c2", 192, 3)
    if response_norm:
        draft.add("n2", LocalResponseNormalization())
    downsample(draft, "p2", options.downsampling, channels=scaled(192, width), window=3, strides=2, padding="same")


def _draw_modules(
    draft: Draft, convolutions: Convolutions, options: InceptionOptions, *, squeeze_ratio: int | None = None
) -> str:
    for module, branches in MODULES.items():
        inception(draft, f"i{module}", branches, convolutions, squeeze_ratio=squeeze_ratio)
        if module in LAST_OF_STAGE:
            channels = branches.channels(options.width)
            name = LAST_OF_STAGE[module]
            downsample(draft, name, options.downsampling, channels=channels, window=3, strides=2, padding="same")
    return draft.last


def _draw_head(draft: Draft, name: str, classes: int, convolutions: Convolutions, *, after: str) -> None:
    """An auxiliary classifier beside the next module (section 5 of the paper)."""
    draft.add(f"{name}_pool", AveragePooling2D(5, strides=3), after=after)
    convolutions.draw(draft, f"{name}_reduce", 128, 1)
    draft.add(f"{name}_flatten", Flatten())
    draft.add(f"{name}_hidden", Dense(scaled(1024, convolutions.width), kernel_initializer="he_normal"))
    draft.add(f"{name}_hidden_activation", Activation("relu"))
    draft.add(f"{name}_dropout", Dropout(0.7))
    logits = draft.add(f"{name}_{LOGITS}", Dense(classes))
    draft.add_head(logits, HEAD_WEIGHT)


def _finish(draft: Draft, classes: int, options: InceptionOptions, *, after: str) -> Network:
    draft.add("pool", GlobalAveragePooling2D(), after=after)
    if options.dropout:
        draft.add("dropout", Dropout(options.dropout))
    draft.add(LOGITS, Dense(classes))
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()
