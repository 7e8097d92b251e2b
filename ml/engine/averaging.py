"""Averages of the weights along a training: often better than those of any one step. TensorFlow only.

The average lives in a model of its own, which is the one that is validated, tested and kept; training goes on with its
own weights and never sees it. `ml.engine.keeper` saves both.

EMA: Polyak, Juditsky: Acceleration of stochastic approximation by averaging (1992), as a moving average whose decay
rises with the steps to the spec's, as TensorFlow's has it. The statistics of batch norms are averaged with the rest:
they are moving averages themselves. SWA: Izmailov, Podoprikhin, Garipov, Vetrov, Wilson: Averaging weights leads to
wider optima and better generalization (2018): a mean over the ends of epochs. Statistics that batch norms gathered
under other weights do not fit it, so they are found anew from the training images after each epoch that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import ceil

import keras
import numpy as np
import tensorflow as tf

from ml.engine.freezing import NORMS, PartialForward
from ml.engine.images import TrainingImages
from ml.networks import Network
from records.specs.train import EMA, SWA, Averaging

Pairs = list[tuple[keras.Variable, keras.Variable]]


class WeightAverage:
    """An average of a training model's weights; without a way to average, nothing happens and `model` is that model.

    Args:
        trained: the model that learns, without auxiliary heads.
    """

    def __init__(self, trained: keras.Model) -> None:
        self.model = trained
        """What is validated, tested and kept."""

    @property
    def variables(self) -> list[keras.Variable]:
        """What a checkpoint must hold besides the training model."""
        return []

    def after_step(self) -> None:
        """Take the step's weights in; traced into the training step."""
        return  # AutoGraph cannot transform a function of nothing but words

    def after_epoch(self, epoch: int, images: TrainingImages, *, between: Callable[[], None]) -> None:
        """Take the epoch's last weights in. Doing it again for the same epoch changes nothing.

        Args:
            epoch: which has been done, counted from 1.
            images: that were trained on.
            between: called after each batch where there are some to go through; may raise to give up.
        """


class MovingAverage(WeightAverage):
    """EMA.

    Args:
        trained: the model that learns.
        shadow: another of the same network, that holds the average.
        spec: how.
    """

    def __init__(self, trained: keras.Model, shadow: keras.Model, spec: EMA) -> None:
        super().__init__(shadow)
        self._pairs, self._decay = _pair(trained, shadow), spec.decay
        self._steps = keras.Variable(0, trainable=False, dtype="int64", name="averaged_steps")
        _copy(self._pairs)

    @property
    def variables(self) -> list[keras.Variable]:
        """The average, and the steps that are in it."""
        return [*self.model.variables, self._steps]

    def after_step(self) -> None:
        """Move the average towards the weights."""
        self._steps.assign_add(1)
        steps = tf.cast(self._steps.value, tf.float32)
        share = 1.0 - tf.minimum(self._decay, (1.0 + steps) / (10.0 + steps))
        for weight, average in self._pairs:
            average.assign_add(share * (weight.value - average.value))


class EpochAverage(WeightAverage):
    """SWA: before the first epoch that counts, the weights as they are.

    Args:
        trained: the model that learns.
        shadow: another of the same network, that holds the average.
        network: of both, as data.
        first: the first epoch that counts, from 1.
        at_once: images that batch norms see together, as in training.
    """

    def __init__(
        self, trained: keras.Model, shadow: keras.Model, network: Network, *, first: int, at_once: int
    ) -> None:
        super().__init__(shadow)
        self._pairs, self._first = _pair(trained, shadow), first
        self._newest = keras.Variable(0, trainable=False, dtype="int64", name="averaged_epoch")
        self._statistics = _Statistics(shadow, network, at_once)
        _copy(self._pairs)

    @property
    def variables(self) -> list[keras.Variable]:
        """The average, and the newest epoch that is in it."""
        return [*self.model.variables, self._newest]

    def after_epoch(self, epoch: int, images: TrainingImages, *, between: Callable[[], None]) -> None:
        """Take the epoch's last weights into the mean, and find the statistics of batch norms anew."""
        counting = epoch - self._first + 1
        if counting <= 1:
            _copy(self._pairs)
            return
        if int(self._newest.numpy()) < epoch:
            for weight, average in self._pairs:
                average.assign_add((weight.value - average.value) / float(counting))
            self._newest.assign(epoch)
        self._statistics.find(images, epoch, between=between)


class _Statistics:
    """The mean over all parts of training batches of the mean and variance that each batch norm finds in them.

    All other layers run as after training, dropout too: the statistics are those of the network that predicts.
    """

    def __init__(self, model: keras.Model, network: Network, at_once: int) -> None:
        self._at_once = at_once
        norms = [node.name for node in network.layers if node.layer.type in NORMS]
        self._norms = [model.get_layer(name) for name in norms]
        still = {node.name for node in network.layers} - set(norms)
        self._forward = PartialForward(model, network, still)
        self._run = tf.function(self._blend)

    def find(self, images: TrainingImages, epoch: int, *, between: Callable[[], None]) -> None:
        """Go through the images of an epoch once."""
        if not self._norms:
            return
        seen = 0
        for batch, _ in images.batches(epoch, 0):
            for first in range(0, len(batch), self._at_once):
                part = batch[first : first + self._at_once]
                seen += len(part)
                self._run(part, tf.constant(1.0 - len(part) / seen))
            between()

    def _blend(self, batch: tf.Tensor, kept: tf.Tensor) -> None:
        """Take a batch in; each norm keeps this share of what it knew, at the first batch nothing."""
        momenta = [norm.momentum for norm in self._norms]
        for norm in self._norms:
            norm.momentum = kept
        try:
            self._forward(batch)
        finally:  # this runs while the function is traced; the graph has the tensor, the layer its number again
            for norm, momentum in zip(self._norms, momenta, strict=True):
                norm.momentum = momentum


def make_average(
    spec: Averaging | None,
    trained: keras.Model,
    network: Network,
    *,
    epochs: int,
    at_once: int,
    build: Callable[[Network], keras.Model],
) -> WeightAverage:
    """The average that a spec asks for.

    Args:
        spec: how; None for none.
        trained: the model that learns, without auxiliary heads.
        network: of it, as data.
        epochs: of the training.
        at_once: images that go through the network at a time.
        build: makes another model of the network.
    """
    match spec:
        case None:
            return WeightAverage(trained)
        case EMA():
            return MovingAverage(trained, build(network), spec)
        case SWA():
            first = ceil(spec.start_fraction * epochs) + 1
            return EpochAverage(trained, build(network), network, first=first, at_once=at_once)


def _pair(trained: keras.Model, shadow: keras.Model) -> Pairs:
    """Each weight and its average, layer by layer: a model's own list may come in another order."""
    pairs: Pairs = []
    for layer in shadow.layers:
        pairs += zip(trained.get_layer(layer.name).weights, layer.weights, strict=True)
    return pairs


def _copy(pairs: Iterable[tuple[keras.Variable, keras.Variable]]) -> None:
    for weight, average in pairs:
        average.assign(np.asarray(weight.numpy()))
