"""Our descriptions of networks that Keras has too, built, against Keras's own: they count and compute the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from ml.engine.build import build_model
from ml.networks import LOGITS, make_network

pytestmark = [
    pytest.mark.slow,
    # Keras reads TensorFlow's variables in a way that numpy 2 will give up; it is theirs to change.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"),
]


def our_resnet_name(theirs: str) -> str | None:
    """`conv3_block1_0_conv` is our `s3_1_shortcut`, `conv3_block1_2_bn` our `s3_1_2_norm`."""
    if found := re.fullmatch(r"conv(\d)_block(\d)_(\d)_(conv|bn)", theirs):
        stage, block, number, kind = found.groups()
        name = f"s{stage}_{block}_{'shortcut' if number == '0' else number}"
        return name if kind == "conv" else f"{name}_norm"
    return {"conv1_conv": "c1", "conv1_bn": "c1_norm", "predictions": LOGITS}.get(theirs)


def our_xception_name(theirs: str) -> str | None:
    """`block5_sepconv2_bn` is our `b5_2_norm`; the shortcuts have no names of their own there, but a number."""
    if found := re.fullmatch(r"block(\d+)_(?:sep)?conv(\d)(_bn)?", theirs):
        block, number, norm = found.groups()
        return f"b{block}_{number}{'_norm' if norm else ''}"
    return {"predictions": LOGITS}.get(theirs)


def our_mobilenet_name(theirs: str) -> str | None:
    """Blocks are counted through there, and by stage here."""
    stages = [
        (stage, number) for stage, blocks in enumerate((1, 2, 3, 4, 3, 3, 1), 1) for number in range(1, blocks + 1)
    ]
    if found := re.fullmatch(r"(?:expanded_conv|block_(\d+))_(expand|depthwise|project)(_BN)?", theirs):
        index, kind, norm = found.groups()
        stage, number = stages[int(index or 0)]
        return f"s{stage}_{number}_{kind}{'_norm' if norm else ''}"
    fixed = {"Conv1": "c1", "bn_Conv1": "c1_norm", "Conv_1": "c2", "Conv_1_bn": "c2_norm", "predictions": LOGITS}
    return fixed.get(theirs)


CASES: dict[str, tuple[Callable[..., keras.Model], dict[str, Any], Callable[[str], str | None]]] = {
    "resnet50": (keras.applications.ResNet50, {"conv_bias": True}, our_resnet_name),
    "xception": (keras.applications.Xception, {}, our_xception_name),
    "mobilenet_v2": (keras.applications.MobileNetV2, {}, our_mobilenet_name),
}


def layers_with_weights(model: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in model.layers if layer.weights]


def pairs(theirs: keras.Model, ours: keras.Model, our_name: Callable[[str], str | None]) -> list[tuple[Any, Any]]:
    """Each of their layers that has weights, with ours; unnamed ones meet in the order of their numbers."""
    named = {layer.name: our_name(layer.name) for layer in layers_with_weights(theirs)}
    unnamed = sorted((name for name, known in named.items() if known is None), key=_number)
    taken = set(named.values())
    free = [layer.name for layer in layers_with_weights(ours) if layer.name not in taken]
    for kind, suffix in (("conv2d", "shortcut"), ("batch", "shortcut_norm")):
        left = [name for name in unnamed if name.startswith(kind)]
        named |= dict(zip(left, [name for name in free if name.endswith(suffix)], strict=True))
    assert sorted(named.values()) == sorted(layer.name for layer in layers_with_weights(ours))
    return [(theirs.get_layer(name), ours.get_layer(our)) for name, our in named.items()]


def _number(name: str) -> int:
    return int((re.findall(r"_(\d+)$", name) or ["0"])[0])


def draw_statistics(layer: keras.layers.Layer, rng: np.random.Generator) -> list[np.ndarray]:
    """Weights with means, variances and biases that are not those at the beginning."""
    drawn = [np.asarray(weight) for weight in layer.get_weights()]
    if isinstance(layer, keras.layers.BatchNormalization):
        return [rng.uniform(0.5, 1.5, drawn[0].shape).astype("float32") for _ in drawn]
    return [rng.normal(0, 0.1, w.shape).astype("float32") if w.ndim == 1 else w for w in drawn]


@pytest.mark.parametrize("name", CASES)
def test_with_the_same_weights_it_gives_the_logits_that_keras_gives(name):
    make, options, our_name = CASES[name]
    shape, rng = (96, 96, 3), np.random.default_rng(0)
    theirs = make(weights=None, input_shape=shape, classes=1000, classifier_activation=None)
    network = make_network(name, shape, 1000, options)
    ours = build_model(network, seed=1)
    assert ours.count_params() == theirs.count_params() == network.parameters
    trained = sum(int(np.prod(weight.shape)) for weight in theirs.trainable_weights)
    assert trained == network.trainable_parameters
    for their_layer, our_layer in pairs(theirs, ours, our_name):
        weights = draw_statistics(their_layer, rng)
        their_layer.set_weights(weights)
        our_layer.set_weights(weights)
    raw = rng.integers(0, 256, (2, *shape)).astype("float32")
    expected = np.asarray(theirs(raw / 127.5 - 1))
    logits = np.asarray(keras.Model(ours.input, ours.get_layer(LOGITS).output)(raw))
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=2e-3 * np.ptp(expected))


@pytest.mark.parametrize("alpha", [0.35, 0.5, 0.75, 1.4])
def test_mobilenet_v2_of_other_widths_counts_as_keras_counts_it(alpha):
    theirs = keras.applications.MobileNetV2(weights=None, alpha=alpha)
    assert make_network("mobilenet_v2", (224, 224, 3), 1000, {"alpha": alpha}).parameters == theirs.count_params()
