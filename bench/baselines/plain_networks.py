"""The yard's networks as one writes them plainly in Keras, or as `keras.applications` has them.

Each takes images of 0 to 255 and gives logits; GoogLeNet a list, its auxiliary heads behind. They have the same layers,
sizes and options as the yard's (numbers of parameters are compared before anything is timed), and nothing clever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from bench.baselines.random_images import CLASSES

Shape = tuple[int, int, int]
EPSILON = 1e-5
MOMENTUM = 0.9


def lenet5(shape: Shape) -> keras.Model:
    """LeNet-5 with ReLU and max pooling."""
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Rescaling(1 / 255),
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(120, activation="relu"),
            layers.Dense(84, activation="relu"),
            layers.Dense(CLASSES),
        ]
    )


def dense(shape: Shape) -> keras.Model:
    """Two hidden layers with dropout."""
    hidden = [layer for _ in range(2) for layer in (layers.Dense(512, activation="relu"), layers.Dropout(0.2))]
    scaled = [keras.Input(shape), layers.Rescaling(1 / 255), layers.Flatten()]
    return keras.Sequential([*scaled, *hidden, layers.Dense(CLASSES)])


def plain_cnn(shape: Shape) -> keras.Model:
    """Three stages of two convolutions with batch norm."""
    images = keras.Input(shape)
    maps = layers.Rescaling(1 / 255)(images)
    for stage, filters in enumerate((32, 64, 128)):
        for _ in range(2):
            maps = _normalised(maps, filters, 3, bias=False)
        if stage < 2:
            maps = layers.MaxPooling2D()(maps)
    maps = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(maps))
    return keras.Model(images, layers.Dense(CLASSES)(maps))


def alexnet(shape: Shape) -> keras.Model:
    """AlexNet in one group, its response normalisation TensorFlow's own operation."""
    images = keras.Input(shape)
    maps = layers.ZeroPadding2D(((1, 2), (1, 2)))(layers.Rescaling(1 / 127.5, -1)(images))
    maps = layers.Conv2D(96, 11, strides=4, activation="relu")(maps)
    maps = layers.MaxPooling2D(3, strides=2)(_responses(maps))
    maps = layers.Conv2D(256, 5, padding="same", activation="relu")(maps)
    maps = layers.MaxPooling2D(3, strides=2)(_responses(maps))
    for filters in (384, 384, 256):
        maps = layers.Conv2D(filters, 3, padding="same", activation="relu")(maps)
    values = layers.Flatten()(layers.MaxPooling2D(3, strides=2)(maps))
    for _ in range(2):
        values = layers.Dense(4096, activation="relu")(layers.Dropout(0.5)(values))
    return keras.Model(images, layers.Dense(CLASSES)(values))


def googlenet(shape: Shape) -> keras.Model:
    """GoogLeNet with both heads."""
    images = keras.Input(shape)
    maps = _convolved(layers.Rescaling(1 / 127.5, -1)(images), 64, 7, strides=2)
    maps = _responses(layers.MaxPooling2D(3, strides=2, padding="same")(maps))
    maps = _responses(_convolved(_convolved(maps, 64, 1), 192, 3))
    maps = layers.MaxPooling2D(3, strides=2, padding="same")(maps)
    heads = []
    for name, filters in INCEPTION.items():
        maps = _inception(maps, *filters)
        if name in ("4a", "4d"):
            heads.append(_head(maps))
        if name in ("3b", "4e"):
            maps = layers.MaxPooling2D(3, strides=2, padding="same")(maps)
    values = layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(maps))
    return keras.Model(images, [layers.Dense(CLASSES)(values), *heads])


INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def _inception(maps: Any, one: int, three_in: int, three: int, five_in: int, five: int, pool: int) -> Any:
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(maps)
    return layers.Concatenate()(
        [
            _convolved(maps, one, 1),
            _convolved(_convolved(maps, three_in, 1), three, 3),
            _convolved(_convolved(maps, five_in, 1), five, 5),
            _convolved(pooled, pool, 1),
        ]
    )


def _head(maps: Any) -> Any:
    values = layers.Flatten()(_convolved(layers.AveragePooling2D(5, strides=3)(maps), 128, 1))
    return layers.Dense(CLASSES)(layers.Dropout(0.7)(layers.Dense(1024, activation="relu")(values)))


def resnet18(shape: Shape) -> keras.Model:
    """ResNet-18."""
    return _resnet(shape, squeeze=False)


def se_resnet18(shape: Shape) -> keras.Model:
    """SE-ResNet-18."""
    return _resnet(shape, squeeze=True)


def _resnet(shape: Shape, *, squeeze: bool) -> keras.Model:
    images = keras.Input(shape)
    maps = layers.ZeroPadding2D(3)(layers.Rescaling(1 / 127.5, -1)(images))
    maps = _normalised(maps, 64, 7, strides=2, padding="valid", bias=False)
    maps = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(maps))
    for stage, filters in enumerate((64, 128, 256, 512)):
        for block in range(2):
            maps = _residual(maps, filters, 2 if stage and not block else 1, squeeze=squeeze)
    return keras.Model(images, layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(maps)))


def _residual(maps: Any, filters: int, strides: int, *, squeeze: bool) -> Any:
    inner = _normalised(maps, filters, 3, strides=strides, bias=False)
    inner = _normalised(inner, filters, 3, activation=None, bias=False)
    if squeeze:
        gates = layers.Dense(filters // 16, activation="relu")(layers.GlobalAveragePooling2D()(inner))
        gates = layers.Dense(filters, activation="sigmoid")(gates)
        inner = layers.Multiply()([inner, layers.Reshape((1, 1, filters))(gates)])
    if strides > 1:
        maps = _normalised(maps, filters, 1, strides=strides, activation=None, bias=False)
    return layers.ReLU()(layers.Add()([maps, inner]))


def resnet50(shape: Shape) -> keras.Model:
    """Keras's own, its convolutions with biases."""
    return _application(keras.applications.ResNet50, shape)


def xception(shape: Shape) -> keras.Model:
    """Keras's own; the yard's with a dropout of 0."""
    return _application(keras.applications.Xception, shape)


def mobilenet_v2(shape: Shape) -> keras.Model:
    """Keras's own; the yard's with a dropout of 0."""
    return _application(keras.applications.MobileNetV2, shape)


def _application(make: Callable[..., keras.Model], shape: Shape) -> keras.Model:
    images = keras.Input(shape)
    scaled = layers.Rescaling(1 / 127.5, -1)(images)
    return make(weights=None, input_tensor=scaled, input_shape=shape, classes=CLASSES, classifier_activation=None)


def _convolved(maps: Any, filters: int, size: int, *, strides: int = 1) -> Any:
    return layers.Conv2D(filters, size, strides=strides, padding="same", activation="relu")(maps)


def _normalised(
    maps: Any,
    filters: int,
    size: int,
    *,
    strides: int = 1,
    padding: str = "same",
    activation: str | None = "relu",
    bias: bool,
) -> Any:
    maps = layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=bias)(maps)
    maps = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)(maps)
    return layers.Activation(activation)(maps) if activation else maps


def _responses(maps: Any) -> Any:
    def normalise(inputs: tf.Tensor) -> tf.Tensor:
        return tf.nn.local_response_normalization(inputs, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75)

    return layers.Lambda(normalise, output_shape=lambda shape: shape)(maps)
