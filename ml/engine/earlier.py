"""A network with the weights that an earlier run of the yard kept. No saved model is ever loaded, only numbers."""

from __future__ import annotations

import warnings
from pathlib import Path

import keras

from ml.engine.build import build_model, main_model
from ml.networks import Network
from records.errors import ModelUnreadable


def load_trained(network: Network, weights: Path) -> keras.Model:
    """The network's model without auxiliary heads: it takes raw images of 0 to 255 and gives probabilities.

    Args:
        network: as `ml.run_record` draws it.
        weights: the run's `best.weights.h5` or `last.weights.h5`.

    Raises:
        ModelUnreadable: the file does not hold this network's weights.
    """
    model = main_model(build_model(network, seed=0))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Keras only warns of a layer that it finds no numbers for
            model.load_weights(weights)
    except (UserWarning, ValueError, KeyError, OSError) as error:
        raise ModelUnreadable(
            f"{weights.name} does not hold the weights of {network.name}: {str(error)[:500]}. If the code of the "
            "network has changed since the run, train again, or use the release that trained it."
        ) from error
    return model
