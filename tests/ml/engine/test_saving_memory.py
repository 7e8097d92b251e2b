"""Micro-batches, 16-bit arithmetic and recomputing: less memory, and the same training."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ml.datasets import Part
from ml.engine.build import build_model
from ml.engine.images import TrainingImages
from ml.engine.memory import forget_peak, peak_device_bytes
from ml.engine.precision import BFLOAT16, FLOAT16, LossScale
from ml.engine.recompute import RecomputedForward
from ml.engine.steps import Forward, RateGroup, TrainingSteps
from ml.networks import LOGITS, PROBABILITIES, Draft, Network
from ml.networks.layers import Activation, BatchNormalization, Conv2D, Dense, Dropout, Flatten, Rescaling

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"),
    pytest.mark.usefixtures("deterministic"),
]

IMAGES, RATE = 6, 0.05


def network(*, norm: bool = False, dropout: bool = False, layers: int = 3) -> Network:
    draft = Draft("small", (8, 8, 1))
    draft.add("rescaling", Rescaling(1 / 255))
    for number in range(layers):
        draft.add(f"conv{number}", Conv2D(4, 3, padding="same"))
        draft.add(f"tanh{number}", Activation("tanh"))
        if norm:
            draft.add(f"norm{number}", BatchNormalization())
        if dropout:
            draft.add(f"dropout{number}", Dropout(0.5))
    draft.add_head(draft.add("head", Dense(3), after=draft.add("flat", Flatten())), 0.3)
    draft.add(LOGITS, Dense(3), after="flat")
    draft.add(PROBABILITIES, Activation("softmax"))
    return draft.finish()


def steps_of(made: Network, *, recompute: bool = False, policy: str | None = None, **options):
    """A model and its steps."""
    model = build_model(made, seed=3, policy=policy)
    forward = whole = Forward(model, made.auxiliary)
    if recompute:
        forward = RecomputedForward(whole, model, made, auxiliary=made.auxiliary)
    groups = [RateGroup(keras.optimizers.SGD(RATE, momentum=0.9), whole.variables)]
    return model, TrainingSteps(forward, groups, class_weights=None, auxiliary=made.auxiliary, **options)


def trained(made: Network, *, count: int = 2, **options):
    """The variables after some steps of full batches, and what the steps said."""
    model, steps = steps_of(made, **options)
    rng = np.random.default_rng(0)
    part = Part.of(rng.integers(0, 256, (IMAGES, 8, 8, 1), np.uint8), rng.integers(0, 3, IMAGES))
    images = TrainingImages(part, batch_size=IMAGES, seed=0, augmentation=None, threads=1)
    said = [
        steps.run(images.batches(epoch, 0), np.full(1, RATE, np.float32), first=0, count=1) for epoch in range(count)
    ]
    return [variable.numpy() for variable in model.variables], said


@pytest.mark.parametrize("micro_batch", [1, 3, 4, 7])
def test_gradients_added_up_over_micro_batches_are_those_of_the_whole_batch(micro_batch):
    whole, whole_said = trained(network())
    parts, parts_said = trained(network(), micro_batch=micro_batch)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)
    for (loss, right), (parts_loss, parts_right) in zip(whole_said, parts_said, strict=True):
        np.testing.assert_allclose(loss, parts_loss, rtol=1e-5)
        np.testing.assert_array_equal(right, parts_right)


def test_batch_normalisation_sees_the_micro_batch():
    whole, _ = trained(network(norm=True))
    parts, _ = trained(network(norm=True), micro_batch=2)
    assert any(not np.allclose(one, other, rtol=1e-3) for one, other in zip(whole, parts, strict=True))


@pytest.mark.parametrize("micro_batch", [None, 4])
def test_recomputing_changes_no_bit_of_weights_averages_or_random_states(micro_batch):
    made = network(norm=True, dropout=True)
    kept, kept_said = trained(made, micro_batch=micro_batch)
    again, again_said = trained(made, micro_batch=micro_batch, recompute=True)
    for one, other in zip(kept, again, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal([loss for loss, _ in kept_said], [loss for loss, _ in again_said])


def peak(**options) -> int:
    made = network(layers=8)
    batch = 512
    _, steps = steps_of(made, **options)
    rng = np.random.default_rng(0)
    part = Part.of(rng.integers(0, 256, (batch, 8, 8, 1), np.uint8), rng.integers(0, 3, batch))
    images = TrainingImages(part, batch_size=batch, seed=0, augmentation=None, threads=1)
    forget_peak()
    before = peak_device_bytes()
    steps.run(images.batches(0, 0), np.full(1, RATE, np.float32), first=0, count=1)
    return peak_device_bytes() - before


def test_each_remedy_lowers_the_allocators_peak():
    whole = peak()
    assert peak(micro_batch=128) < 0.5 * whole
    assert peak(recompute=True) < 0.8 * whole
    assert peak(policy=BFLOAT16) < 0.9 * whole


def test_mixed_precision_keeps_weights_logits_and_gradients_in_32_bits():
    made = network()
    model, _ = steps_of(made, policy=BFLOAT16)
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert model.get_layer("conv1").compute_dtype == "bfloat16"
    assert {model.get_layer(name).compute_dtype for name in (LOGITS, "head")} == {"float32"}
    mixed, said = trained(made, policy=BFLOAT16)
    full, full_said = trained(made)
    for one, other in zip(mixed, full, strict=True):
        np.testing.assert_allclose(one, other, rtol=0.05, atol=0.02)
    assert not np.array_equal(said[-1][0], full_said[-1][0])


# ── float16's scale ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_scaled_loss_gives_the_same_step_and_reports_the_loss_itself():
    with_scale, said = trained(network(), loss_scale=LossScale())
    without, plain = trained(network())
    for one, other in zip(with_scale, without, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(said[-1][0], plain[-1][0], rtol=1e-6)


def test_float16_trains_with_a_scale():
    mixed, _ = trained(network(), policy=FLOAT16, loss_scale=LossScale())
    full, _ = trained(network())
    for one, other in zip(mixed, full, strict=True):
        np.testing.assert_allclose(one, other, rtol=0.05, atol=0.02)


def test_a_step_whose_gradients_overflow_is_left_out_and_halves_the_scale():
    scale, updates = LossScale(), []
    first = float(scale.variables[0].numpy())
    scale.apply([tf.constant([1.0, np.inf])], lambda gradients: updates.append(gradients))
    assert updates == []
    assert float(scale.variables[0].numpy()) == first / 2
    scale.apply([tf.constant([first])], lambda gradients: updates.append(gradients[0].numpy()))
    np.testing.assert_array_equal(updates[0], [2.0])


def test_the_scale_doubles_after_many_good_steps():
    scale = LossScale()
    first = float(scale.variables[0].numpy())
    scale.variables[1].assign(1999)
    scale.apply([tf.constant([1.0])], lambda gradients: None)
    assert float(scale.variables[0].numpy()) == 2 * first
    assert int(scale.variables[1].numpy()) == 0
