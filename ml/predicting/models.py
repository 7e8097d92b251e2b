"""One function a job kind: its model, built again. Each is named in `ml.kinds`."""

from __future__ import annotations

from typing import cast

import keras

from ml.engine.build import build_model, main_model
from ml.networks import draw_network
from ml.predicting.record import Record
from records.specs import TrainSpec


def trained_model(record: Record) -> keras.Model:
    """The model of `kind: train`, as it was built to be trained, with first weights.

    Takes `[batch, height, width, channels]` of 0 to 255, gives `[batch, classes]` of probabilities.
    """
    spec = cast("TrainSpec", record.spec)
    network = draw_network(spec.network, record.image_shape, len(record.classes))
    return main_model(build_model(network, seed=spec.seed))
