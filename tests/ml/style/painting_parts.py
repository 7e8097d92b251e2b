"""A small feature network with weights that follow from a seed, and jobs on tiny pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

from ml.engine.build import build_model
from ml.networks.feature_networks import FEATURE_NETWORKS
from ml.style import features as real
from records.orders import Order, OrderedDevice

SMALL = FEATURE_NETWORKS["squeezenet"]
"""Its layers are few and thin."""
LAYERS = {"content_layers": {"fire2": 1.0}, "style_layers": {"c1_activation": 1.0, "fire2": 1.0}}


def write_picture(path: Path, seed: int, size: tuple[int, int] = (48, 64)) -> Path:
    """A picture of coloured bands, `[height, width]`."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: size[0], : size[1]]
    waves = [np.sin(rows / rng.uniform(3, 9) + columns / rng.uniform(3, 9) + rng.uniform(0, 6)) for _ in range(3)]
    Image.fromarray(((np.stack(waves, -1) + 1) * 127).astype(np.uint8)).save(path, "PNG")
    return path


def make_order(folder: Path, spec: dict[str, Any], inputs: dict[str, Path], checkpoint: Path | None = None) -> Order:
    """An order for one thread of the CPU."""
    folder.mkdir()
    return Order(
        job_id=1,
        attempt_number=1,
        spec=spec,
        device=OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1),
        inputs=inputs,
        facts={"features_sha256": SMALL.source.digest, "content_sha256": "c", "styles.0.picture_sha256": "s"},
        checkpoint=checkpoint,
        folder=folder,
    )


def without_file():
    """Let the feature network keep the numbers that it was built with: no file of weights is needed."""
    return patch.object(real, "load_pretrained", lambda model, network, weights, path: None)


def features_of(names: list[str]) -> Any:
    """The named layers of the small network with numbers from a seed."""
    network = SMALL.draw(224, 224)
    whole = build_model(network, seed=3, any_size=True)
    model = real.build_features(network, names, average_pooling=False)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(whole.get_layer(layer.name).get_weights())
    return model
