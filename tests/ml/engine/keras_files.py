"""Files of weights as Keras writes them, for tests: its older form of HDF5 and the one of today."""

from __future__ import annotations

from pathlib import Path

import h5py
import keras
import numpy as np
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group


def save_as_keras_2(model: keras.Model, path: Path) -> Path:
    """As the files of `keras.applications` are."""
    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, model)
    return path


def save_as_keras_3(model: keras.Model, path: Path) -> Path:
    """As `model.save_weights` does it today."""
    path = path.with_name(f"{path.stem}.weights.h5")
    model.save_weights(path)
    return path


def draw_weights(model: keras.Model, *, seed: int) -> None:
    """Numbers that are not those at the beginning, for everything that does not begin at random.

    Scales are below 1, so that a deep network does not make its numbers so large that rounding decides its gates.
    """
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            draw_weights(layer, seed=seed)
        elif layer.weights:
            layer.set_weights([_draw(weight, rng) for weight in layer.weights])


def _draw(weight: keras.Variable, rng: np.random.Generator) -> np.ndarray:
    shape = tuple(weight.shape)
    if len(shape) != 1:
        return np.asarray(weight.numpy())
    if weight.name in ("bias", "beta", "moving_mean", "mean"):
        return rng.normal(0, 0.1, shape).astype("float32")
    low, high = (0.5, 1.5) if weight.name == "moving_variance" else (0.3, 0.7)
    return rng.uniform(low, high, shape).astype("float32")
