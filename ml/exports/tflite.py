"""TFLite files, for phones and small boards, from a SavedModel. TensorFlow only."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import tensorflow as tf

Weights = Literal["float32", "float16", "int8"]


def write_tflite(saved_model: Path, target: Path, *, weights: Weights) -> None:
    """Convert a SavedModel.

    Args:
        saved_model: its folder.
        target: the file to write.
        weights: what they are kept as. `float16` is read as float32 again; `int8` is dynamic-range quantisation: whole
            numbers with a scale for each kernel or row, activations stay float32.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    if weights != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if weights == "float16":
        converter.target_spec.supported_types = [tf.float16]
    target.write_bytes(converter.convert())
