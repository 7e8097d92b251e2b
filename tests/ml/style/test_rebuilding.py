"""Gatys et al. 2016, section 2.1: from noise, the content alone can be painted again from the features of a layer."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml.networks.feature_networks import FEATURE_NETWORKS
from ml.recipes.style_transfer import paint
from ml.reporter import Reporter
from records.errors import WeightsMissing
from records.orders import Order, OrderedDevice
from records.specs import parse_spec
from worker.weights import sources_of_weights, stage_weights

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow 2.21
]
HED = FEATURE_NETWORKS["hed_vgg16"]
SIDE = 96
FOLDERS = [Path(folder) for folder in os.environ.get("TRAINYARD_DATA", "").split(":") if folder]
"""Read before the tests are cut off from the environment."""


@pytest.fixture
def weights(tmp_path):
    """VGG-16's convolutions."""
    sources = sources_of_weights(HED.source, FOLDERS, environment=dict(os.environ))
    try:
        return stage_weights(HED.source, tmp_path, sources, tell=print, check=lambda: None)
    except WeightsMissing as error:
        pytest.skip(error.text)


def structural_similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Wang, Bovik, Sheikh, Simoncelli (2004), equation 13, over windows of 8 by 8 of the luminance of 0 to 1."""

    def windows(image: np.ndarray) -> np.ndarray:
        return np.lib.stride_tricks.sliding_window_view(image, (8, 8)).reshape(-1, 64)

    a, b = windows(one), windows(other)
    mean_a, mean_b = a.mean(axis=1), b.mean(axis=1)
    together = ((a - mean_a[:, None]) * (b - mean_b[:, None])).mean(axis=1)
    top = (2 * mean_a * mean_b + 0.01**2) * (2 * together + 0.03**2)
    bottom = (mean_a**2 + mean_b**2 + 0.01**2) * (a.var(axis=1) + b.var(axis=1) + 0.03**2)
    return float((top / bottom).mean())


def test_structural_similarity_is_1_for_the_same_and_low_for_noise():
    image = np.random.default_rng(0).uniform(size=(32, 32))
    assert structural_similarity(image, image) == pytest.approx(1)
    assert structural_similarity(image, np.random.default_rng(1).uniform(size=(32, 32))) < 0.1


def luminance(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), np.float64) / 255


def test_noise_becomes_the_content_again_by_the_features_of_block_2(tmp_path, weights):
    rows, columns = np.mgrid[:SIDE, :SIDE]
    shapes = np.stack([np.hypot(rows - 40, columns - 50) < 30, columns % 24 < 12, rows > 60], -1)
    smooth = np.stack([rows, columns, rows + columns], -1) / (2 * SIDE)
    content = tmp_path / "content.png"
    Image.fromarray((255 * (0.25 + 0.4 * shapes + 0.3 * smooth)).astype(np.uint8)).save(content)
    spec = {
        "kind": "style_transfer", "content": 1, "styles": [{"picture": 1}], "features": "hed_vgg16", "start": "noise",
        "content_layers": {"c2_2_activation": 1.0}, "style_weight": 0.0, "total_variation_weight": 0.0,
        "size": SIDE, "levels": 1, "steps": 200,
    }  # fmt: skip
    order = Order(
        job_id=1, attempt_number=1, spec=spec, folder=tmp_path / "out",
        device=OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**32, threads=2),
        inputs={"content": content, "styles.0.picture": content, "features": weights},
        facts={"features_sha256": HED.source.digest},
    )  # fmt: skip
    order.folder.mkdir()
    summary = paint(parse_spec(spec), order, Reporter(lambda event: None))
    # 0.61 with HED's convolutions, after which fine noise stays that they do not see; noise itself has 0.07.
    assert structural_similarity(luminance(order.folder / "result.png"), luminance(content)) > 0.55
    assert summary["loss"] < 2e-3
