"""A trained model from what its run kept: the spec, from which the network is drawn, and the weights. Keras only.

Never from a saved model's own description: that names classes to import, and the spec names none.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import keras

from ml.datasets import ImageSet
from ml.engine.build import build_model, main_model
from ml.networks import Network, draw_network
from records.errors import ExportFailed, TrainyardError
from records.specs import Spec, TrainSpec, parse_spec


def read_record(path: Path) -> dict[str, Any]:
    """A run's `run.json`.

    Raises:
        ExportFailed: it cannot be read, or holds no spec.
    """
    try:
        record = json.loads(path.read_bytes())
        parse_spec(record["spec"])
    except (OSError, ValueError, KeyError, TypeError, TrainyardError) as error:
        raise ExportFailed(f"Expected the record of a run with its spec in {path.name}, got: {error}") from error
    found: dict[str, Any] = record
    return found


def rebuild_model(record: dict[str, Any], weights: Path, data: ImageSet) -> tuple[Network, keras.Model]:
    """The network of a run, and its model, which takes raw images of 0 to 255 and gives probabilities.

    Args:
        record: the run's `run.json`.
        weights: its `best.weights.h5` or `last.weights.h5`.
        data: the dataset that it was trained on.

    Raises:
        ExportFailed: the weights do not fit the network that the spec asks for.
    """
    network = _network(parse_spec(record["spec"]), data)
    model = main_model(build_model(network, seed=0))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Keras only warns of a layer that it finds no numbers for
            model.load_weights(weights)
    except (UserWarning, OSError, ValueError, KeyError) as error:
        raise ExportFailed(
            f"Expected {weights.name} to hold the weights of {model.name}, but they do not fit ({str(error)[:500]}). "
            "The code of the network has changed since the run: train again, or use the release that trained it."
        ) from error
    return network.main, model


def _network(spec: Spec, data: ImageSet) -> Network:
    if not isinstance(spec, TrainSpec):
        raise ExportFailed(f"Expected the record of a run of kind train, got {spec.kind}.")
    return draw_network(spec.network, data.image_shape, len(data.classes))
