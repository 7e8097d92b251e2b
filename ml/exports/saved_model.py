"""TensorFlow's SavedModel: written to a folder, packed as one zip. TensorFlow only."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras
import tensorflow as tf

from ml.networks import IMAGES, PROBABILITIES

_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zip: when it was packed is no part of a model."""


def signature(model: keras.Model) -> tf.TensorSpec:
    """What an exported model takes: float32 `[batch, height, width, channels]`, raw values of 0 to 255."""
    return tf.TensorSpec([None, *model.input_shape[1:]], tf.float32, name=IMAGES)


def forward(model: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    """The model as it predicts, as a function from images to `{"probabilities": [batch, classes]}`."""
    return tf.function(
        lambda images: {PROBABILITIES: model(images, training=False)}, input_signature=[signature(model)]
    )


def write_saved_model(model: keras.Model, folder: Path) -> None:
    """Write the model into a new folder; its endpoint is `serve`, which is `serving_default` too."""
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", forward(model))
    archive.write_out(folder, verbose=False)


def pack(folder: Path, target: Path) -> None:
    """The folder's files as one zip, in the order of their names."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(entry, path.read_bytes())
