"""L-BFGS on tensors, on functions whose lowest point is known."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ml.style.lbfgs import LBFGS

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21


def bowl(x):
    """A long valley: curvatures from 1 to 1,000, lowest at 1."""
    return tf.reduce_sum(tf.constant(np.logspace(0, 3, 10), tf.float32) * tf.square(x - 1.0))


def rosenbrock(x):
    """Rosenbrock (1960): a bent valley, lowest at (1, 1)."""
    return 100.0 * tf.square(x[1] - tf.square(x[0])) + tf.square(1.0 - x[0])


def minimise(function, start, steps, state=None):
    state = state or LBFGS(len(start))
    point, losses = tf.constant(start, tf.float32), []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(point)
            loss = function(point)
        losses.append(float(loss))
        point = state.advance(point, loss, tape.gradient(loss, point))
    return point, losses, state


def test_a_long_valley_takes_few_steps():
    point, losses, _ = minimise(bowl, np.zeros(10), 60)  # curvature 1 is felt least, so its end is reached last
    np.testing.assert_allclose(point, np.ones(10), atol=5e-2)
    assert min(losses) < 1e-6 * losses[0]


def test_a_bent_valley_is_followed_to_its_end():
    point, losses, _ = minimise(rosenbrock, [-1.2, 1.0], 120)
    np.testing.assert_allclose(point, [1, 1], atol=2e-2)
    assert min(losses) < 1e-4


def test_a_step_that_led_up_is_halved():
    state = LBFGS(1)
    first = state.advance(tf.constant([1.0]), tf.constant(1.0), tf.constant([2.0]))
    assert float(first[0]) == pytest.approx(1 - 0.02)
    worse = state.advance(first, tf.constant(5.0), tf.constant([-2.0]))
    assert float(worse[0]) == pytest.approx(1 - 0.01)


def test_it_goes_on_from_its_variables_as_if_never_stopped():
    whole, _, _ = minimise(rosenbrock, [-1.2, 1.0], 30)
    half, _, state = minimise(rosenbrock, [-1.2, 1.0], 17)
    again = LBFGS(2)
    for variable, saved in zip(again.variables, state.variables, strict=True):
        variable.assign(saved.numpy())
    rest, _, _ = minimise(rosenbrock, half.numpy(), 13, again)
    assert np.array_equal(rest, whole)
