"""The classifier of an earlier run, built from its record and given its weights. No saved model is ever loaded."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import keras

from ml.engine.build import build_model, main_model
from ml.networks import Network, draw_network
from records.errors import RecipeFailed
from records.specs import TrainSpec, parse_spec


def read_spec(record: Path) -> TrainSpec:
    """The spec in a run's `run.json`.

    Raises:
        RecipeFailed: it is not that of a training.
    """
    spec = parse_spec(json.loads(record.read_bytes())["spec"])
    if not isinstance(spec, TrainSpec):
        raise RecipeFailed(f"Expected the record of a training in {record.name}, got one of kind {spec.kind!r}.")
    return spec


def load_classifier(network: Network, weights: Path) -> keras.Model:
    """The network's model without auxiliary heads, with the numbers of a weights file that the yard wrote.

    Raises:
        RecipeFailed: the file does not hold this network's weights.
    """
    model = main_model(build_model(network, seed=0))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Keras only warns of a layer that it finds no numbers for
            model.load_weights(weights)
    except (UserWarning, ValueError, KeyError, OSError) as error:
        raise RecipeFailed(f"{weights.name} does not hold the weights of {network.name}: {error}") from error
    return model


def draw_classifier(spec: TrainSpec, image_shape: tuple[int, int, int], classes: int) -> Network:
    """The network that a training's spec names, for the images that it learned from."""
    return draw_network(spec.network, image_shape, classes)
