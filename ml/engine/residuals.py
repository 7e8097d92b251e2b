"""Keras layers of Trainyard's own at the end of a block, before its shortcut is added. Only `keras.ops`.

They are registered under `trainyard`, so that a saved model finds them again once this module is imported.
"""

from __future__ import annotations

from typing import Any

import keras

_registered = keras.saving.register_keras_serializable(package="trainyard")


@_registered
class LayerScale(keras.layers.Layer):
    """Each channel multiplied by a trained number that begins at `initial`. Takes `[…, channels]`.

    Touvron, Cord, Sablayrolles, Synnaeve, Jégou: Going deeper with image transformers (2021), section 2.
    """

    def __init__(self, initial: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial = initial

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make one number a channel."""
        first = keras.initializers.Constant(self.initial)
        self.gamma = self.add_weight(name="gamma", shape=input_shape[-1:], initializer=first)

    def call(self, inputs: Any) -> Any:
        """The channels, each multiplied by its number."""
        return inputs * self.gamma

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As it came."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What makes this layer again."""
        return {**super().get_config(), "initial": self.initial}


@_registered
class StochasticDepth(keras.layers.Dropout):
    """In training, an image's maps all become 0 at this rate, and those of others are scaled up by 1 / (1 - rate).

    Huang, Sun, Liu, Sedra, Weinberger: Deep networks with stochastic depth (2016); scaled in training, as EfficientNet
    has it, and not at the end, as that paper. Takes `[batch, height, width, maps]`.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, noise_shape=(None, 1, 1, 1), seed=seed, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """What makes this layer again."""
        config: dict[str, Any] = super().get_config()
        return {key: value for key, value in config.items() if key != "noise_shape"}
