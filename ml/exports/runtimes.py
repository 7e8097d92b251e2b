"""Each kind of exported file, loaded again by a runtime that knows nothing of the model that it was made from.

A runtime is called with the file, images and threads, and gives probabilities.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from ml.networks import IMAGES, PROBABILITIES

Images = NDArray[np.float32]
"""`[n, height, width, channels]`, raw values of 0 to 255."""
Probabilities = NDArray[np.float32]
"""`[n, classes]`."""
Runtime = Callable[[Path, Images, int], Probabilities]

BATCH = 16
"""Images a call, so that large networks on large images need little memory."""


def run_keras(path: Path, images: Images, threads: int) -> Probabilities:
    """Keras reads the file anew; it must have been written here, and code in it would be refused."""
    model = keras.models.load_model(path, compile=False, safe_mode=True)
    return in_batches(lambda part: np.asarray(model(part, training=False)), images)


def run_saved_model(path: Path, images: Images, threads: int) -> Probabilities:
    """TensorFlow loads the unpacked zip; no Keras is in it."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
        serve = tf.saved_model.load(folder).signatures["serving_default"]
        return in_batches(lambda part: serve(**{IMAGES: tf.constant(part)})[PROBABILITIES].numpy(), images)


def run_tflite(path: Path, images: Images, threads: int) -> Probabilities:
    """LiteRT, the interpreter of TFLite files, which is no part of TensorFlow."""
    runner = Interpreter(model_path=str(path), num_threads=threads).get_signature_runner()
    return in_batches(lambda part: runner(**{IMAGES: part})[PROBABILITIES], images)


def run_onnx(path: Path, images: Images, threads: int) -> Probabilities:
    """ONNX Runtime on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return in_batches(lambda part: session.run([PROBABILITIES], {IMAGES: part})[0], images)


def in_batches(run: Callable[[Images], Probabilities], images: Images) -> Probabilities:
    """Run images batch by batch, and join what comes."""
    return np.concatenate([run(images[first : first + BATCH]) for first in range(0, len(images), BATCH)])


RUNTIMES: Mapping[str, Runtime] = {
    "keras": run_keras,
    "savedmodel": run_saved_model,
    "tflite": run_tflite,
    "onnx": run_onnx,
}
"""By format."""
