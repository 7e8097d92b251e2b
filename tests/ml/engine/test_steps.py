"""Optimizer steps with auxiliary heads, against the same step written plainly."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ml.datasets import Part
from ml.engine.build import build_model, main_model
from ml.engine.images import TrainingImages
from ml.engine.steps import TrainingSteps
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
    images = TrainingImages(Part.of(*data()), batch_size=6, seed=0, augmentation=None, threads=1)
    optimizer = keras.optimizers.SGD(RATE)
    steps = TrainingSteps.of(model, optimizer, class_weights=class_weights, auxiliary=made.auxiliary)
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


# ── labels ───────────────────────────────────────────────────────────────────────────────────────────────────


def first_loss(labels: np.ndarray, **options) -> float:
    """The loss of the first step on the six images, with these labels."""
    model = build_model(network(None), seed=3)
    steps = TrainingSteps.of(model, keras.optimizers.SGD(RATE), **options)
    batches = tf.data.Dataset.from_tensors((data()[0], labels)).map(
        lambda images, given: (
            tf.ensure_shape(images, [None, 4, 4, 1]),
            tf.ensure_shape(given, [None, *labels.shape[1:]]),
        )
    )
    losses, _ = steps.run(iter(batches), np.full(1, RATE, np.float32), first=0, count=1)
    return float(losses[0])


def own_loss(shares: np.ndarray, weights: np.ndarray | None = None) -> float:
    model = build_model(network(None), seed=3)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, reduction=None)
    logits = keras.Model(model.input, model.get_layer(LOGITS).output)(data()[0])
    return float(np.mean(loss(shares, logits) * (1 if weights is None else weights)))


def test_label_smoothing_is_that_of_keras():
    labels = data()[1]
    smoothed = np.eye(3, dtype=np.float32)[labels] * 0.8 + 0.2 / 3
    assert first_loss(labels, label_smoothing=0.2) == pytest.approx(own_loss(smoothed), rel=1e-5)


def test_mixed_labels_are_learnt_by_their_shares_and_weighed_by_them():
    shares = np.random.default_rng(1).dirichlet([1, 1, 1], 6).astype(np.float32)
    assert first_loss(shares) == pytest.approx(own_loss(shares), rel=1e-5)
    weights = np.array([1, 2, 5], np.float32)
    expected = own_loss(shares * 0.9 + 0.1 / 3, shares @ weights)
    assert first_loss(shares, class_weights=weights, label_smoothing=0.1) == pytest.approx(expected, rel=1e-5)


def test_shares_of_one_class_alone_are_learnt_like_its_number():
    labels = data()[1]
    assert first_loss(np.eye(3, dtype=np.float32)[labels]) == pytest.approx(first_loss(labels), rel=1e-6)


def test_of_a_mixture_the_larger_share_counts_as_right():
    model = build_model(network(None), seed=3)
    said = model.predict(data()[0].astype(np.float32), verbose=0).argmax(axis=1)
    shares = np.eye(3, dtype=np.float32)[said] * 0.6 + np.eye(3, dtype=np.float32)[(said + 1) % 3] * 0.4
    steps = TrainingSteps.of(model, keras.optimizers.SGD(RATE))
    batches = tf.data.Dataset.from_tensors((data()[0], shares))
    _, right = steps.run(iter(batches), np.full(1, RATE, np.float32), first=0, count=1)
    assert right.tolist() == [6]
