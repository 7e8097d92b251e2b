"""Every layer and every named network in every format, run by a runtime that knows nothing of the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from ml.engine.build import build_model, main_model
from ml.exports.onnx_file import make_onnx, write_onnx
from ml.exports.onnx_layers import ACTIVATIONS, RULES, pads
from ml.exports.proof import prove
from ml.exports.runtimes import RUNTIMES, in_batches
from ml.exports.saved_model import pack, write_saved_model
from ml.exports.tflite import write_tflite
from ml.inspections.export import ONNX_ACTIVATIONS, ONNX_LAYERS
from ml.networks import NETWORKS, Draft, Network, draw_network, make_network
from ml.networks.graph import LOGITS
from ml.networks.layers import LAYERS
from records.specs import NetworkSpec, parse_as
from tests.ml.small_networks import SMALL

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow 2.21
    pytest.mark.usefixtures("deterministic"),
]

SHAPE = (28, 28, 2)
QUICK = ("lenet5", "plain_cnn", "resnet20", "mobilenet_v2")
CLOSE = 1e-4
"""The default tolerance of an export. Sums in another order add up over 152 layers of random weights to 7e-5."""
END = ({"type": "GlobalAveragePooling2D"}, {"type": "Dense", "units": 3, "name": "logits"},
       {"type": "Activation", "activation": "softmax", "name": "probabilities"})  # fmt: skip

OWN: dict[str, list[dict[str, Any]]] = {
    "convolutions": [
        {"type": "ChannelOrder", "order": [1, 0]},
        {"type": "Rescaling", "scale": [0.01, 0.02], "offset": [-1.0, 0.5]},
        {"type": "Conv2D", "filters": 8, "kernel_size": 5, "strides": 2, "padding": "same"},
        {"type": "BatchNormalization"},
        {"type": "Activation", "activation": "relu6"},
        {"type": "Conv2D", "filters": 12, "kernel_size": 3, "groups": 2},
        {"type": "Activation", "activation": "tanh"},
        {"type": "DepthwiseConv2D", "kernel_size": 3, "depth_multiplier": 2, "padding": "same"},
        {"type": "Activation", "activation": "silu"},
        {"type": "SeparableConv2D", "filters": 6, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"type": "Activation", "activation": "gelu"},
        {"type": "PartialConv2D", "kernel_size": 3, "connections": [[0, 1], [2, 3, 4], [5]]},
        {"type": "Activation", "activation": "scaled_tanh"},
        {"type": "Dropout", "rate": 0.5},
        {"type": "Flatten"},
        {"type": "Dense", "units": 3, "name": "logits"},
        {"type": "Activation", "activation": "softmax", "name": "probabilities"},
    ],
    "pooling": [
        {"type": "ZeroPadding2D", "padding": [[1, 2], [0, 3]]},
        {"type": "MaxPooling2D", "pool_size": 3, "strides": 2, "padding": "same"},
        {"type": "AveragePooling2D", "pool_size": 3, "strides": 2, "padding": "same"},
        {"type": "TrainableSubsampling2D"},
        {"type": "ChannelPadding", "channels": 7},
        {"type": "LocalResponseNormalization", "size": 5, "alpha": 0.5},  # large enough to be seen
        {"type": "Activation", "activation": "elu", "name": "a"},
        {"type": "LocalResponseNormalization", "size": 3, "alpha": 0.5, "beta": 0.5},
        *END,
    ],
    "residuals": [
        {"type": "Rescaling", "scale": 0.01, "name": "pixels"},
        {"type": "Conv2D", "filters": 6, "kernel_size": 4, "strides": 4, "name": "stem"},
        {"type": "LayerNormalization", "epsilon": 1e-6},
        {"type": "Activation", "activation": "hard_silu"},
        {"type": "LayerScale", "initial": 0.5},
        {"type": "StochasticDepth", "rate": 0.5, "name": "branch"},
        {"type": "Add", "inputs": ["stem", "branch"]},
        {"type": "GlobalAveragePooling2D"},
        {"type": "LayerNormalization"},
        {"type": "LayerScale", "initial": 0.5},
        {"type": "Rescaling", "scale": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]},
        {"type": "ChannelOrder", "order": [5, 3, 1, 0, 2, 4]},
        {"type": "Activation", "activation": "hard_sigmoid"},
        {"type": "Dense", "units": 3, "name": "logits"},
        {"type": "Activation", "activation": "softmax", "name": "probabilities"},
    ],
    "larger": [
        {"type": "Rescaling", "scale": 0.01},
        {"type": "Conv2D", "filters": 4, "kernel_size": 3, "dilation_rate": 2, "padding": "same"},
        {"type": "DepthwiseConv2D", "kernel_size": 3, "dilation_rate": [2, 3]},
        {"type": "MaxPooling2D", "pool_size": 4},
        {"type": "Conv2DTranspose", "filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"type": "Conv2DTranspose", "filters": 3, "kernel_size": 4, "strides": 2, "kernel_initializer": "bilinear"},
        {"type": "Conv2DTranspose", "filters": 4, "kernel_size": 1, "strides": 2, "use_bias": False},
        {"type": "UpSampling2D", "size": [1, 2]},
        {"type": "UpSampling2D", "size": 2, "interpolation": "bilinear"},
        *END,
    ],
    "joins": [
        {"type": "Rescaling", "scale": 0.01},
        {"type": "Conv2D", "filters": 6, "kernel_size": 3, "strides": 3, "name": "stem"},
        {"type": "GlobalMaxPooling2D", "keepdims": True},
        {"type": "Activation", "activation": "sigmoid", "name": "gate"},
        {"type": "Multiply", "inputs": ["stem", "gate"], "name": "gated"},
        {"type": "Activation", "activation": "relu", "inputs": ["stem"], "name": "other"},
        {"type": "Add", "inputs": ["gated", "other"], "name": "sum"},
        {"type": "Concatenate", "inputs": ["sum", "stem"]},
        {"type": "Reshape", "target_shape": [81, 12]},
        {"type": "BatchNormalization"},
        {"type": "Dense", "units": 4, "use_bias": False},
        {"type": "Activation", "activation": "softmax", "name": "shares"},
        {"type": "Flatten"},
        {"type": "BatchNormalization"},
        {"type": "Reshape", "target_shape": [27, 3, 4]},
        {"type": "Activation", "activation": "linear"},
        {"type": "Dense", "units": 5},
        *END,
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    keras.backend.clear_session()


def model_of(network: Network) -> keras.Model:
    """A model whose weights are all of use; its moving means and variances are those of some images."""
    model = main_model(build_model(network, seed=3))
    generator = np.random.default_rng(5)
    for weight in model.trainable_weights:
        weight.assign(weight.numpy() + generator.normal(0.0, 0.05, weight.shape))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(images_of(network), training=True)
    soften(model, images_of(network))
    return model


def soften(model: keras.Model, images: NDArray[np.float32]) -> None:
    """Bring logits in the hundreds, as random weights make them of raw pixels, to where a softmax tells them apart."""
    logits = next((layer for layer in model.layers if layer.name == LOGITS), None)
    if logits is not None:
        spread = np.asarray(keras.Model(model.input, logits.output)(images, training=False)).std()
        last = [layer for layer in model.layers if layer.weights][-1]
        last.set_weights([weight / max(spread, 1.0) for weight in last.get_weights()])


def images_of(network: Network) -> NDArray[np.float32]:
    """Noise, from black to bright."""
    noise = np.random.default_rng(1).integers(0, 256, (18, *network.input_shape))
    return (noise * np.linspace(0.0, 1.0, 18)[:, None, None, None]).astype(np.float32)


def weights_of(model: keras.Model) -> dict[str, list[NDArray[np.float32]]]:
    """By layer."""
    return {layer.name: layer.get_weights() for layer in model.layers}


def write_all(network: Network, model: keras.Model, folder: Path) -> dict[str, Path]:
    """A file of each format."""
    paths = {name: folder / f"model.{name}" for name in RUNTIMES}
    model.save(paths["keras"])
    write_saved_model(model, folder / "saved")
    pack(folder / "saved", paths["savedmodel"])
    write_tflite(folder / "saved", paths["tflite"], weights="float32")
    write_onnx(network, weights_of(model), paths["onnx"], about={})
    return paths


def check(network: Network, folder: Path) -> None:
    """Each file gives what the model gives."""
    model, images = model_of(network), images_of(network)
    own = in_batches(lambda part: np.asarray(model(part, training=False)), images)
    assert own.std(axis=0).max() > 1e-4, "images that all look the same prove nothing"
    for name, path in write_all(network.main, model, folder).items():
        proof = prove(own, RUNTIMES[name](path, images, 1))
        assert proof.largest_difference < CLOSE, name


def test_the_cases_hold_every_layer_and_every_activation_that_onnx_has_a_rule_for() -> None:
    layers = [layer for case in OWN.values() for layer in case]
    assert {layer["type"] for layer in layers} == ONNX_LAYERS
    assert {layer["activation"] for layer in layers if "activation" in layer} == ONNX_ACTIVATIONS


def test_the_inspection_knows_which_rules_there_are() -> None:
    assert set(RULES) == ONNX_LAYERS
    assert set(ACTIVATIONS) == ONNX_ACTIVATIONS


@pytest.mark.parametrize("case", OWN)
def test_every_layer_in_every_format(case: str, tmp_path: Path) -> None:
    check(draw_network(parse_as(NetworkSpec, {"layers": OWN[case]}), SHAPE, 3), tmp_path)


@pytest.mark.parametrize(
    "network", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in NETWORKS]
)
def test_every_named_network_in_every_format(network: str, tmp_path: Path) -> None:
    check(make_network(network, (28, 28, 1), 10, SMALL[network]), tmp_path)


def test_the_classic_lenet_in_every_format(tmp_path: Path) -> None:
    check(make_network("lenet5", (28, 28, 1), 10, {"variant": "classic"}), tmp_path)


def test_an_onnx_file_tells_what_it_takes_and_gives_and_where_it_is_from(tmp_path: Path) -> None:
    network = make_network("lenet5", (28, 28, 1), 10, {})
    weights = weights_of(model_of(network))
    write_onnx(network, weights, tmp_path / "model.onnx", about={"run": "7", "classes": "a\nb"})
    read = onnx.load(tmp_path / "model.onnx")
    again = make_onnx(network, weights, about={"run": "7", "classes": "a\nb"})
    assert again.SerializeToString() == (tmp_path / "model.onnx").read_bytes()
    assert {node.name.split("/")[0] for node in read.graph.node} >= {node.name for node in network.layers}
    (taken,), (given,) = read.graph.input, read.graph.output
    dims = [dim.dim_param or dim.dim_value for dim in taken.type.tensor_type.shape.dim]
    assert (taken.name, dims) == ("images", ["batch", 28, 28, 1])
    assert (given.name, given.type.tensor_type.shape.dim[1].dim_value) == ("probabilities", 10)
    assert {entry.key: entry.value for entry in read.metadata_props} == {"run": "7", "classes": "a\nb"}


def test_packing_the_same_folder_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.txt").write_text("x")
    (tmp_path / "a" / "z.bin").write_bytes(b"y" * 100)
    for name in ("one.zip", "two.zip"):
        pack(tmp_path / "a", tmp_path / name)
        (tmp_path / "a" / "z.bin").touch()
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("window", [1, 2, 3, 5])
def test_padding_is_what_tensorflow_adds(window: int, strides: int, padding: str) -> None:
    import tensorflow as tf

    for size in (5, 6, 7):
        ones = np.ones((1, size, size, 1), np.float32)
        seen = tf.nn.conv2d(ones, np.ones((window, window, 1, 1), np.float32), strides, padding.upper()).numpy()
        above, left, below, right = pads((size, size, 1), (window, window), (strides, strides), padding)
        padded = np.pad(ones[0, :, :, 0], ((above, below), (left, right)))
        views = np.lib.stride_tricks.sliding_window_view(padded, (window, window))[::strides, ::strides]
        assert np.array_equal(views.sum(axis=(2, 3)), seen[0, :, :, 0])


def test_maps_that_come_out_are_given_with_the_channels_last(tmp_path: Path) -> None:
    layers = [{"type": "Conv2D", "filters": 3, "kernel_size": 3}, {"type": "Activation", "activation": "softmax"}]
    draft = Draft("maps", (8, 9, 2))
    for number, layer in enumerate(layers):
        draft.add(f"layer{number}", LAYERS[layer.pop("type")](**layer))
    network = draft.finish()
    model = model_of(network)
    write_onnx(network, weights_of(model), tmp_path / "maps.onnx", about={})
    own = np.asarray(model(images_of(network)))
    given = RUNTIMES["onnx"](tmp_path / "maps.onnx", images_of(network), 1)
    assert given.shape == own.shape == (18, 6, 7, 3)
    assert np.abs(given - own).max() < CLOSE
