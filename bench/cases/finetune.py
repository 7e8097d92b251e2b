"""Is fine-tuning as fast as a tutorial's, and how good is it on real photographs?

A step on MobileNetV2 at 224 x 224 pixels, batch 32, AdamW, all layers but batch norms trained: ours (a rate for each
block, smoothed labels) and `keras.applications` with `Model.fit` as Keras's guide on transfer learning writes it, each
in a fresh process, in turn. A user would pick the tutorial's.

Then ants and bees (244 training and 153 validation photographs), each seed in a fresh process with an empty cache:
`kind: finetune` at its defaults on EfficientNet-Lite0 (`--weights FILE`), and for comparison `kind: train` on the same
network from random weights with the same augmentation, for as many epochs as both stages have. Seconds are those of the
recipe alone, from reading the list to the last report; starting the yard and fetching the weights come on top.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench.alone import run_python
from bench.photos import find_photos, stage_photos
from bench.results import Aim
from bench.setting import Measured, Setting
from bench.statistics import alternate, figure, ratio

ALONE = "bench.baselines.finetune_alone"
STEP = Aim(relation="at most", value=1.0)
ACCURACY = Aim(relation="at least", value=0.93)
DURATION = Aim(relation="at most", value=300.0)
CROPPED = {"flip": "horizontal", "crop": {"scale": [0.35, 1.0]}}
RANDOM = {
    "kind": "train",
    "dataset": "ants-bees",
    "network": {"name": "efficientnet_lite0"},
    "image_size": 224,
    "epochs": 28,
    "batch_size": 32,
    "augmentation": CROPPED,
    "label_smoothing": 0.1,
}


def measure(setting: Setting) -> Measured:
    """Milliseconds a step, and the accuracy on real photographs."""
    ours, tutorial = alternate(
        setting.count(5, 1),
        lambda: run_python(ALONE, _request(setting, "ours"))["step_ms"],
        lambda: run_python(ALONE, _request(setting, "tutorial"))["step_ms"],
    )
    measured = Measured(
        [
            figure("our step", "ms/step", ours),
            figure("the tutorial's step", "ms/step", tutorial),
            ratio("our step : the tutorial's", ours, tutorial, STEP),
        ]
    )
    if setting.weights is None:
        measured.notes.append("Ants and bees were left out: name EfficientNet-Lite0's weights with `--weights FILE`.")
        return measured
    staged = stage_photos(find_photos(), setting.folder / "staged")
    inputs = {"dataset": str(staged), "weights": str(setting.weights)}
    seeds = range(setting.count(3, 1))
    tuned = [_learn(setting, {"kind": "finetune", "dataset": "ants-bees", "seed": seed}, inputs) for seed in seeds]
    measured.figures += [
        figure("ants and bees, fine-tuned: validation accuracy", "", [run["accuracy"] for run in tuned], ACCURACY),
        figure("ants and bees, fine-tuned: in all", "s", [run["took_s"] for run in tuned], DURATION),
    ]
    if not setting.quick:
        scratch = _learn(setting, RANDOM, inputs)
        name = "ants and bees, from random weights: validation accuracy"
        measured.figures.append(figure(name, "", [scratch["accuracy"]]))
    return measured


def _learn(setting: Setting, spec: dict[str, Any], inputs: dict[str, str]) -> dict[str, Any]:
    return run_python(ALONE, _request(setting, "recipe", spec=spec, inputs=inputs))


def _request(setting: Setting, way: str, **more: Any) -> dict[str, Any]:
    folder: Path = setting.folder
    return {"way": way, "folder": str(folder), "threads": os.cpu_count(), **more}
