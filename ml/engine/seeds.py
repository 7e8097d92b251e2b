"""Seeds for random draws that follow from a step's seed, one for each purpose. TensorFlow only."""

from __future__ import annotations

import tensorflow as tf

FRAMING, COLOUR, RANDAUGMENT, MIXING, ELASTIC, ERASING, CROPPING = 1, 2, 3, 4, 5, 6, 7
"""Purposes; their numbers never change, or resumed trainings would draw otherwise."""


def derived(seed: tf.Tensor, purpose: int) -> tf.Tensor:
    """A seed `[2]` for one purpose, from a seed `[2]`."""
    return tf.random.experimental.stateless_fold_in(tf.cast(tf.stack(seed), tf.int64), purpose)
