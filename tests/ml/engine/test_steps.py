"""Optimizer steps with auxiliary heads, against the same step written plainly."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ml.engine.build import build_model, main_model
from ml.engine.steps import TrainingImages, TrainingSteps
from ml.networks import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import Activation, Dense, Flatten, Rescaling

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

RATE = 0.05


def network(head_weight: float | None) -> Network:
    """One hidden layer, and beside the logits a head of its own on it, if it is given a weight."""
    draft = Draft("headed", (4, 4, 1))
    draft.add("rescaling", Rescaling(1 / 255))
    draft.add("flatten", Flatten())
    draft.add("hidden", Dense(8))
    if head_weight is not None:
        draft.add_head(draft.add("head", Dense(3), after="hidden"), head_weight)
    draft.add(LOGITS, Dense(3), after="hidden")
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (6, 4, 4, 1), np.uint8), rng.integers(0, 3, 6)


def one_step(made: Network, class_weights: np.ndarray | None = None) -> tuple[keras.Model, float]:
    """The model after one step of gradient descent on one batch, and the loss that the step reported."""
    model = build_model(made, seed=3)
    images = TrainingImages(*data(), batch_size=6, seed=0, augmentation=None, threads=1)
    optimizer = keras.optimizers.SGD(RATE)
    steps = TrainingSteps(model, optimizer, class_weights=class_weights, auxiliary=made.auxiliary)
    losses, _ = steps.run(images.batches(0, 0), np.full(1, RATE, np.float32), first=0, count=1)
    return model, float(losses[0])


def plain_step(made: Network, class_weights: np.ndarray | None = None) -> tuple[keras.Model, float]:
    model = build_model(made, seed=3)
    images, labels = data()
    weights = np.ones(3, "float32") if class_weights is None else class_weights
    with tf.GradientTape() as tape:
        logits, head = keras.Model(model.input, [model.get_layer(n).output for n in (LOGITS, "head")])(images)
        losses = [
            tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, out) * weights[labels])
            for out in (logits, head)
        ]
        whole = losses[0] + 0.3 * losses[1]
    for weight, gradient in zip(model.trainable_weights, tape.gradient(whole, model.trainable_weights), strict=True):
        weight.assign_sub(RATE * gradient)
    return model, float(losses[0])


@pytest.mark.parametrize("class_weights", [None, np.array([1, 2, 5], "float32")])
def test_a_heads_loss_counts_with_its_weight_and_the_main_one_is_reported(class_weights):
    model, loss = one_step(network(0.3), class_weights)
    expected, expected_loss = plain_step(network(0.3), class_weights)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_a_head_changes_what_lies_below_it_and_not_the_logits_beside_it():
    with_head, _ = one_step(network(0.3))
    without, _ = one_step(network(None))
    for name, equal in (("hidden", False), (LOGITS, True)):
        one, other = (model.get_layer(name).get_weights()[0] for model in (main_model(with_head), without))
        assert np.allclose(one, other, rtol=1e-5, atol=1e-7) == equal, name


def test_a_head_is_trained_itself():
    before = build_model(network(0.3), seed=3).get_layer("head").get_weights()[0]
    after = one_step(network(0.3))[0].get_layer("head").get_weights()[0]
    assert (before != after).any()
