"""Averages of weights against numbers worked out by hand, and the statistics of batch norms against NumPy's."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ml.datasets import Part
from ml.engine.averaging import EpochAverage, MovingAverage, WeightAverage, make_average
from ml.engine.build import build_model
from ml.engine.images import TrainingImages
from ml.networks import Network, draw_network
from records.specs import NetworkSpec
from records.specs.train import EMA, SWA

LAYERS = [
    {"type": "Flatten"},
    {"type": "Dropout", "rate": 0.5},
    {"type": "Dense", "name": "mix", "units": 3},
    {"type": "BatchNormalization", "name": "norm"},
    {"type": "Dense", "name": "last", "units": 2},
]
NETWORK = draw_network(NetworkSpec(layers=LAYERS), (2, 2, 1), 2)
IMAGES = np.random.default_rng(0).integers(0, 256, (10, 2, 2, 1), np.uint8)


def _build(network: Network) -> keras.Model:
    return build_model(network, seed=3)


def _images(batch_size: int = 4) -> TrainingImages:
    part = Part.of(IMAGES, np.arange(10) % 2)
    return TrainingImages(part, batch_size=batch_size, seed=0, augmentation=None, threads=1)


def _fill(model: keras.Model, value: float) -> None:
    for weight in model.weights:
        weight.assign(tf.fill(weight.shape, value))


def _nothing() -> None:
    pass


def test_without_an_average_the_model_itself_is_shown() -> None:
    model = _build(NETWORK)
    average = make_average(None, model, NETWORK, epochs=3, at_once=10, build=_build)
    average.after_step()
    average.after_epoch(1, _images(), between=_nothing)
    assert type(average) is WeightAverage
    assert average.model is model
    assert average.variables == []


# ── EMA ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_moving_average_begins_at_the_first_weights_and_follows_them() -> None:
    model, shadow = _build(NETWORK), _build(NETWORK)
    _fill(model, 0.0)
    average = MovingAverage(model, shadow, EMA(decay=0.5))
    step = tf.function(average.after_step)
    by_hand = 0.0
    for number, value in enumerate((1.0, 2.0, 4.0, 8.0, 1.0, -3.0, 5.0, 6.0, 7.0, 9.0, 9.5), start=1):
        _fill(model, value)
        step()
        decay = min(0.5, (1 + number) / (10 + number))
        by_hand = decay * by_hand + (1 - decay) * value
        for weight in shadow.weights:
            np.testing.assert_allclose(weight.numpy(), by_hand, rtol=1e-5)
    assert all(np.all(weight.numpy() == 9.5) for weight in model.weights)  # learns on with its own


def test_each_average_belongs_to_the_weight_of_the_same_name() -> None:
    model, shadow = _build(NETWORK), build_model(NETWORK, seed=4)
    MovingAverage(model, shadow, EMA())
    for layer in model.layers:
        for weight, average in zip(layer.weights, shadow.get_layer(layer.name).weights, strict=True):
            np.testing.assert_array_equal(weight.numpy(), average.numpy())


# ── SWA ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("fraction", "epochs", "first"), [(0.75, 8, 7), (0.75, 10, 9), (0.0, 4, 1), (0.5, 1, 2)])
def test_the_first_epoch_that_counts_follows_from_the_share_before_it(fraction, epochs, first) -> None:
    model = _build(NETWORK)
    spec = SWA(start_fraction=fraction)
    average = make_average(spec, model, NETWORK, epochs=epochs, at_once=10, build=_build)
    assert isinstance(average, EpochAverage)
    for epoch in range(1, epochs + 1):
        model.get_layer("mix").kernel.assign(tf.fill((4, 3), float(epoch)))
        average.after_epoch(epoch, _images(), between=_nothing)
        expected = np.mean(np.arange(first, epoch + 1)) if epoch >= first else epoch
        np.testing.assert_allclose(average.model.get_layer("mix").kernel.numpy(), expected, rtol=1e-6)


def test_an_epoch_counts_once_however_often_it_is_told() -> None:
    model = _build(NETWORK)
    average = EpochAverage(model, _build(NETWORK), NETWORK, first=1, at_once=10)
    for epoch, value in ((1, 2.0), (2, 4.0), (2, 4.0), (3, 9.0), (3, 9.0)):
        model.get_layer("mix").kernel.assign(tf.fill((4, 3), value))
        average.after_epoch(epoch, _images(), between=_nothing)
    np.testing.assert_allclose(average.model.get_layer("mix").kernel.numpy(), 5.0, rtol=1e-6)


def test_the_statistics_of_norms_are_those_of_the_averaged_weights_over_all_training_images() -> None:
    model = _build(NETWORK)
    average = EpochAverage(model, _build(NETWORK), NETWORK, first=1, at_once=10)
    average.after_epoch(1, _images(), between=_nothing)
    model.get_layer("mix").kernel.assign_add(tf.ones((4, 3)))
    looks: list[int] = []
    average.after_epoch(2, _images(batch_size=10), between=lambda: looks.append(1))
    mix, norm = average.model.get_layer("mix"), average.model.get_layer("norm")
    fed = IMAGES.reshape(10, 4) / 255 @ mix.kernel.numpy() + mix.bias.numpy()  # nothing is dropped
    np.testing.assert_allclose(norm.moving_mean.numpy(), fed.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance.numpy(), fed.var(axis=0), rtol=1e-3)
    assert looks == [1]
    assert norm.momentum == model.get_layer("norm").momentum == 0.99


def test_batches_of_unequal_size_weigh_as_many_images_as_they_hold() -> None:
    model = _build(NETWORK)
    average = EpochAverage(model, _build(NETWORK), NETWORK, first=1, at_once=10)
    average.after_epoch(1, _images(), between=_nothing)
    average.after_epoch(2, _images(batch_size=4), between=_nothing)  # 4, 4 and 2
    mix, norm = average.model.get_layer("mix"), average.model.get_layer("norm")
    fed = IMAGES.reshape(10, 4) / 255 @ mix.kernel.numpy() + mix.bias.numpy()
    np.testing.assert_allclose(norm.moving_mean.numpy(), fed.mean(axis=0), rtol=1e-4)


def test_the_model_that_learns_keeps_its_own_weights_and_statistics() -> None:
    model = _build(NETWORK)
    average = EpochAverage(model, _build(NETWORK), NETWORK, first=1, at_once=10)
    average.after_epoch(1, _images(), between=_nothing)
    before = [weight.numpy() for weight in model.weights]
    average.after_epoch(2, _images(), between=_nothing)
    for weight, kept in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), kept)
