"""From the optimizer of a spec to Keras's."""

from __future__ import annotations

import keras

from records.specs.train import SGD, Adam, AdamW, Optimizer


def make_optimizer(spec: Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer, its rate still 0: the training step sets the rate of every step.

    AdamW decays every parameter, as in its paper, biases and scales too.
    """
    match spec:
        case SGD():
            return keras.optimizers.SGD(0.0, momentum=spec.momentum, nesterov=spec.nesterov)
        case Adam():
            return keras.optimizers.Adam(0.0, beta_1=spec.beta_1, beta_2=spec.beta_2, epsilon=spec.epsilon)
        case AdamW():
            return keras.optimizers.AdamW(
                0.0, weight_decay=spec.weight_decay, beta_1=spec.beta_1, beta_2=spec.beta_2, epsilon=spec.epsilon
            )
