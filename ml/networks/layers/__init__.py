"""The layers that a network is drawn from, in Keras's own vocabulary, as frozen data. Never imports Keras.

Each layer tells, from the shapes that reach it, its output's shape, its weights and its multiply-adds. Shapes are
those of one example, without the batch axis: `(height, width, channels)` or `(features,)`. A multiply-add counts once
and padding counts as if it were computed; adding a bias, comparing and squashing count nothing.
"""

from __future__ import annotations

from ml.networks.layers.base import Initializer, Layer, Padding, Pair, Shape, Size, Weight
from ml.networks.layers.convolutions import (
    ChannelPadding,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    PartialConv2D,
    SeparableConv2D,
)
from ml.networks.layers.joins import Add, Concatenate, Multiply
from ml.networks.layers.pooling import (
    AveragePooling2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
    TrainableSubsampling2D,
    ZeroPadding2D,
)
from ml.networks.layers.shaping import (
    Activation,
    ActivationName,
    BatchNormalization,
    ChannelOrder,
    Dropout,
    Flatten,
    LayerNormalization,
    LayerScale,
    LocalResponseNormalization,
    Rescaling,
    Reshape,
    StochasticDepth,
)
from ml.networks.layers.upsampling import Conv2DTranspose, UpSampling2D

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        Rescaling,
        ChannelOrder,
        Conv2D,
        PartialConv2D,
        DepthwiseConv2D,
        SeparableConv2D,
        Conv2DTranspose,
        UpSampling2D,
        Dense,
        MaxPooling2D,
        AveragePooling2D,
        TrainableSubsampling2D,
        GlobalAveragePooling2D,
        GlobalMaxPooling2D,
        ZeroPadding2D,
        ChannelPadding,
        Flatten,
        Reshape,
        Dropout,
        StochasticDepth,
        BatchNormalization,
        LayerNormalization,
        LayerScale,
        LocalResponseNormalization,
        Activation,
        Add,
        Multiply,
        Concatenate,
    )
}
"""Every layer by its type; what is not here cannot stand in a network's JSON."""

__all__ = [
    "LAYERS",
    "Activation",
    "ActivationName",
    "Add",
    "AveragePooling2D",
    "BatchNormalization",
    "ChannelOrder",
    "ChannelPadding",
    "Concatenate",
    "Conv2D",
    "Conv2DTranspose",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Initializer",
    "Layer",
    "LayerNormalization",
    "LayerScale",
    "LocalResponseNormalization",
    "MaxPooling2D",
    "Multiply",
    "Padding",
    "Pair",
    "PartialConv2D",
    "Rescaling",
    "Reshape",
    "SeparableConv2D",
    "Shape",
    "Size",
    "StochasticDepth",
    "TrainableSubsampling2D",
    "UpSampling2D",
    "Weight",
    "ZeroPadding2D",
]
