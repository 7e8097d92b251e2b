"""Our networks against those of `keras.applications`: from one file of weights, the same parameters and logits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from keras.applications.imagenet_utils import preprocess_input

from ml.engine.build import build_model
from ml.engine.pretrained import load_pretrained
from ml.networks import LOGITS, Network, head_layers, make_network
from ml.networks.pixels import TORCH_DEVIATION, TORCH_MEAN
from records.weights import WEIGHTS, Weights
from tests.ml.engine.keras_files import draw_weights, save_as_keras_2, save_as_keras_3

# Keras reads TensorFlow's variables in a way that numpy 2 will give up; it is theirs to change.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


class Case(NamedTuple):
    """A network that Keras has too."""

    make: Callable[..., keras.Model]
    pixels: str | None = None
    """The mode of Keras's `preprocess_input`; None where their model takes raw pixels."""
    side: int = 64
    more: int = 0
    """Numbers that Keras counts as parameters and we do not: the statistics of pixels."""


APPS = keras.applications
CASES = {
    "vgg16": Case(APPS.VGG16, "caffe"),
    "vgg19": Case(APPS.VGG19, "caffe"),
    "resnet50": Case(APPS.ResNet50, "caffe"),
    "resnet101": Case(APPS.ResNet101, "caffe"),
    "resnet152": Case(APPS.ResNet152, "caffe"),
    "xception": Case(APPS.Xception, "tf", side=96),
    "mobilenet_v2": Case(APPS.MobileNetV2, "tf"),
    "mobilenet_v3_small": Case(APPS.MobileNetV3Small),
    "mobilenet_v3_large": Case(APPS.MobileNetV3Large),
    "efficientnet_b0": Case(APPS.EfficientNetB0, more=7),
    "efficientnet_b1": Case(APPS.EfficientNetB1, more=7),
    "efficientnet_b2": Case(APPS.EfficientNetB2, more=7),
    "efficientnet_b3": Case(APPS.EfficientNetB3, more=7),
    "efficientnet_v2_b0": Case(APPS.EfficientNetV2B0),
    "efficientnet_v2_b1": Case(APPS.EfficientNetV2B1),
    "efficientnet_v2_b2": Case(APPS.EfficientNetV2B2),
    "efficientnet_v2_b3": Case(APPS.EfficientNetV2B3),
    "efficientnet_v2_s": Case(APPS.EfficientNetV2S),
    "convnext_tiny": Case(APPS.ConvNeXtTiny),
}
FAST = "mobilenet_v3_small"
"""Built twice within seconds, and has nearly everything that can go wrong."""


def slow_but(names: Any) -> list[Any]:
    return [name if name == FAST else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.fixture(autouse=True)
def _one_at_a_time():
    yield
    keras.backend.clear_session()


def their_model(name: str, *, top: bool = True) -> keras.Model:
    """Keras's, with weights and statistics as no training would leave them, but all of them of some weight."""
    case = CASES[name]
    options: dict[str, Any] = {"classifier_activation": None} if top else {"include_top": False, "pooling": "avg"}
    model = case.make(weights=None, input_shape=(case.side, case.side, 3), **options)
    draw_weights(model, seed=1)
    return model


def save(model: keras.Model, path: Path, save_as: Callable[[keras.Model, Path], Path]) -> Path:
    """Their weights in a file; of EfficientNet with the pixels' statistics that Keras's own file has."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            layer.set_weights([np.array(TORCH_MEAN), np.array(TORCH_DEVIATION), np.array(0)])
    return save_as(model, path)


def expected_logits(name: str, model: keras.Model, raw: np.ndarray) -> np.ndarray:
    pixels = CASES[name].pixels
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            # Keras divides by the root of what is called variance here, and once more by a layer of its own.
            layer.set_weights([np.array(TORCH_MEAN), np.square(TORCH_DEVIATION), np.array(0)])
            layer.finalize_state()
    return np.asarray(model(preprocess_input(raw.copy(), mode=pixels) if pixels else raw))


def our_model(entry: Weights, side: int, *, classes: int = 1000) -> tuple[keras.Model, Network]:
    network = make_network(entry.network, (side, side, 3), classes, dict(entry.options))
    return build_model(network, seed=2), network


def photos(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, side, side, 3)).astype("float32")


def assert_same_logits(name: str, ours: keras.Model, theirs: keras.Model) -> None:
    raw = photos(CASES[name].side)
    logits = np.asarray(keras.Model(ours.input, ours.get_layer(LOGITS).output)(raw))
    expected = expected_logits(name, theirs, raw)
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=2e-3 * np.ptp(expected))


@pytest.mark.parametrize("name", slow_but(CASES))
def test_from_one_file_it_counts_and_computes_as_keras_does(name, tmp_path):
    entry, theirs = WEIGHTS[f"{name}_imagenet"], their_model(name)
    ours, network = our_model(entry, CASES[name].side)
    assert ours.count_params() == network.parameters == theirs.count_params() - CASES[name].more
    trained = sum(int(np.prod(weight.shape)) for weight in theirs.trainable_weights)
    assert trained == network.trainable_parameters
    loaded = load_pretrained(ours, network, entry, save(theirs, tmp_path / entry.file, save_as_keras_2))
    assert not loaded.fresh
    assert_same_logits(name, ours, theirs)


@pytest.mark.parametrize("name", slow_but([FAST, "resnet50", "xception", "mobilenet_v2", "efficientnet_b0"]))
def test_from_a_file_as_keras_3_writes_it_too(name, tmp_path):
    entry, theirs = WEIGHTS[f"{name}_imagenet"], their_model(name)
    ours, network = our_model(entry, CASES[name].side)
    loaded = load_pretrained(ours, network, entry, save(theirs, tmp_path / entry.file, save_as_keras_3))
    assert not loaded.fresh
    assert_same_logits(name, ours, theirs)


@pytest.mark.parametrize("name", slow_but(name for name in CASES if f"{name}_imagenet_notop" in WEIGHTS))
def test_a_file_without_its_last_layers_gives_the_same_features_and_a_fresh_head(name, tmp_path):
    entry, theirs = WEIGHTS[f"{name}_imagenet_notop"], their_model(name, top=False)
    ours, network = our_model(entry, CASES[name].side, classes=5)
    before = ours.get_layer(head_layers(network)[-1]).get_weights()
    loaded = load_pretrained(ours, network, entry, save(theirs, tmp_path / entry.file, save_as_keras_2))
    assert loaded.fresh[-1:] == (LOGITS,)
    assert set(loaded.fresh) <= set(head_layers(network))
    for old, new in zip(before, ours.get_layer(LOGITS).get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    raw = photos(CASES[name].side)
    last = "head_norm" if name == "convnext_tiny" else "pool"
    features = np.asarray(keras.Model(ours.input, ours.get_layer(last).output)(raw))
    expected = expected_logits(name, theirs, raw)
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=2e-3 * np.ptp(expected))


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.35, 0.5, 0.75, 1.4])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("mobilenet_v2", APPS.MobileNetV2),
        ("mobilenet_v3_small", APPS.MobileNetV3Small),
        ("mobilenet_v3_large", APPS.MobileNetV3Large),
    ],
)
def test_mobilenets_of_other_widths_count_as_keras_counts_them(name, make, alpha):
    theirs = make(weights=None, alpha=alpha, input_shape=(224, 224, 3))
    assert make_network(name, (224, 224, 3), 1000, {"alpha": alpha}).parameters == theirs.count_params()
