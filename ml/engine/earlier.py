"""The classifier of an earlier run, built from its record and given its weights. No saved model is ever loaded."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import keras

from ml.engine.build import build_model, main_model
from ml.networks import Network, NetworkError, draw_network
from records.catalogue import find_dataset
from records.errors import NotFound, RecipeFailed
from records.specs import TrainSpec, parse_spec


def read_spec(record: Path) -> TrainSpec:
    """The spec in a run's `run.json`.

    Raises:
        RecipeFailed: it is not that of a training.
    """
    spec = parse_spec(json.loads(record.read_bytes())["spec"], test_kinds=True)
    if not isinstance(spec, TrainSpec):
        raise RecipeFailed(f"Expected the record of a training in {record.name}, got one of kind {spec.kind!r}.")
    return spec


def read_network(record: Path) -> Network:
    """The network in the record of a run that trained a classifier, as it was trained.

    Raises:
        RecipeFailed: there is none that can be drawn.
    """
    told = json.loads(record.read_bytes())
    try:
        if "network" in told:
            return Network.from_json(told["network"])
        spec = read_spec(record)
        image_shape = told.get("image_shape") or find_dataset(spec.dataset).image_shape
        classes = told.get("classes") or find_dataset(spec.dataset).classes
        return draw_network(spec.network, tuple(image_shape), len(classes)).main
    except (NetworkError, NotFound) as error:
        raise RecipeFailed(f"The network in {record.name} cannot be drawn any more: {error.text}") from error


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
