"""Which parts of an image spoke for the class that a network said. TensorFlow only.

Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra: Grad-CAM: visual explanations from deep networks via gradient-based
localization (2017). The maps of the last layer that still knows places are added up, each times the mean gradient of
the class's logit over the map, and what is negative is left out. Each heat map is scaled to 0 … 1 by itself.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.networks import LOGITS, Network


def last_maps(network: Network) -> str | None:
    """The last layer whose output still has a height and width above 1.

    None where there is none behind the first weights: a network of dense layers alone has no such maps.
    """
    table = network.main.table
    first = next((number for number, row in enumerate(table) if row.parameters), len(table))
    places = [row.name for row in table[first:] if len(row.output_shape) == 3 and min(row.output_shape[:2]) > 1]
    return places[-1] if places else None


def heat_maps(model: keras.Model, layer: str, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A heat map `[n, height, width]` of 0 to 1 for each image `[n, height, width, channels]`, for the class said.

    Args:
        model: with a layer `logits`.
        layer: whose maps are looked at; see `last_maps`.
        images: of 0 to 255.
    """
    if not len(images):
        return np.zeros(images.shape[:3], np.float32)
    inner = keras.Model(model.inputs, [model.get_layer(layer).output, model.get_layer(LOGITS).output])
    shown = tf.cast(images, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(shown)  # so that all is recorded, also where every weight is frozen
        maps, logits = inner(shown, training=False)
        said = tf.reduce_max(logits, axis=1)
    weights = tf.reduce_mean(tape.gradient(said, maps), axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(tf.cast(maps * weights, tf.float32), axis=-1, keepdims=True))
    heat = tf.math.divide_no_nan(heat, tf.reduce_max(heat, axis=(1, 2), keepdims=True))
    return tf.image.resize(heat, images.shape[1:3])[..., 0].numpy()
