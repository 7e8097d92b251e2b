"""What somebody would write who has `model.keras` and an image. Run by `bench.alone`."""

from __future__ import annotations

import json
import sys
from typing import Any

import keras
import numpy as np
from PIL import Image

import ml.engine.build  # noqa: F401  # the layers of ours that a saved model may hold


def run(request: dict[str, Any]) -> dict[str, Any]:
    """The likeliest class of one image."""
    model = keras.saving.load_model(request["model"])
    pixels = np.asarray(Image.open(request["image"]).convert("L"))[np.newaxis, ..., np.newaxis]
    return {"class": int(model.predict(pixels, verbose=0).argmax())}


if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
