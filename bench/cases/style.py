"""How soon is a picture painted?

A photograph of Tübingen after Van Gogh's starry night, with VGG-16's convolutions (HED's), on all cores; each run in a
fresh process, in turn. Milliseconds a step at 256 and 512 pixels, the steps that trace left out, beside TensorFlow's
tutorial (`bench/baselines/style_tutorial.py`) and beside ourselves with bfloat16 convolutions. Then seconds until the
loss is what the tutorial's Adam reaches in 300 steps at the full size, from its first step on, tracing included.
A user would pick TensorFlow's tutorial.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from bench.alone import run_python
from bench.results import Aim, Figure
from bench.setting import CannotMeasure, Measured, Setting
from bench.statistics import alternate, figure, ratio

OURS, TUTORIAL = "bench.baselines.style_ours", "bench.baselines.style_tutorial"
WEIGHTS = {"style_weight": 30.0, "total_variation_weight": 5.0}
FILES = {
    "content": "style/content/tubingen.jpg",
    "style": "style/style/starry_night.jpg",
    "features": "weights/hed_bsds500.weights.h5",
}
"""Below a folder that `TRAINYARD_DATA` names."""
SOON = Aim(relation="at most", value=0.5)


def measure(setting: Setting) -> Measured:
    """Milliseconds a step, three ways at two sizes; then seconds to the same loss."""
    files = {name: str(_find(path)) for name, path in FILES.items()}
    common = {**files, "threads": os.cpu_count(), "folder": str(setting.folder)}
    measured = Measured()
    for size in (96,) if setting.quick else (256, 512):
        measured.figures += _paces(setting, common, size)
    _to_the_same_loss(setting, common, measured)
    return measured


def _paces(setting: Setting, common: dict[str, Any], size: int) -> list[Figure]:
    steps = setting.count(12, 4)
    ours, sixteen, tutorial = alternate(
        setting.count(5, 1),
        lambda: _step_ms(_ours(common, size, steps=steps, levels=1)),
        lambda: _step_ms(_ours(common, size, steps=steps, levels=1, precision="bfloat16")),
        lambda: _step_ms(_tutorial(common, size, steps=steps)),
    )
    return [
        figure(f"{size} px, ours, L-BFGS", "ms/step", ours),
        figure(f"{size} px, ours, bfloat16", "ms/step", sixteen),
        figure(f"{size} px, TensorFlow's tutorial", "ms/step", tutorial),
        ratio(f"{size} px, ours : tutorial", ours, tutorial),
        ratio(f"{size} px, bfloat16 : float32, ours", sixteen, ours),
    ]


def _to_the_same_loss(setting: Setting, common: dict[str, Any], measured: Measured) -> None:
    size, steps = setting.count(512, 96), setting.count(300, 10)
    spent: list[tuple[float, float]] = []
    for _ in range(setting.count(3, 1)):
        theirs = _tutorial(common, size, steps=steps)
        ours = _ours(common, size, steps=steps, levels=setting.count(3, 1))
        reached = _seconds_to(ours, theirs["losses"][-1])
        if reached is None:
            ends = [f"{result['losses'][-1]:.3f}" for result in (ours, theirs)]
            measured.notes.append(f"Ours ended at a loss of {ends[0]}, the tutorial's at {ends[1]}: not reached.")
            return
        spent.append((reached, theirs["at_s"][-1]))
    mine, others = ([pair[place] for pair in spent] for place in (0, 1))
    measured.figures += [
        figure(f"{size} px, ours, to the loss of the tutorial's {steps} steps", "s", mine),
        figure(f"{size} px, the tutorial's {steps} steps", "s", others),
        ratio(f"{size} px, ours : tutorial, to the same loss", mine, others, SOON),
    ]


def _ours(common: dict[str, Any], size: int, **fields: Any) -> dict[str, Any]:
    spec = {"kind": "style_transfer", "content": 1, "styles": [{"picture": 2}], "features": "hed_vgg16", "size": size}
    spec |= {**WEIGHTS, "picture_every_s": 3600.0, "checkpoint_every_s": 3600.0, **fields}
    return run_python(OURS, {**common, "spec": spec})


def _tutorial(common: dict[str, Any], size: int, *, steps: int) -> dict[str, Any]:
    return run_python(TUTORIAL, {**common, **WEIGHTS, "size": size, "steps": steps})


def _step_ms(result: dict[str, Any]) -> float:
    """Of the steps behind the first two."""
    return 1000 * median(after - before for before, after in pairwise(result["at_s"][1:]))


def _seconds_to(result: dict[str, Any], loss: float) -> float | None:
    """When the loss was this at the full size for the first time; on coarser sizes it is that of another picture."""
    first = result["full_size_from"]
    for at_s, found in zip(result["at_s"][first:], result["losses"][first:], strict=True):
        if found <= loss:
            return float(at_s)
    return None


def _find(path: str) -> Path:
    for folder in os.environ.get("TRAINYARD_DATA", "").split(":"):
        if folder and (Path(folder) / path).is_file():
            return Path(folder) / path
    raise CannotMeasure(f"No file {path} lies in TRAINYARD_DATA.")
