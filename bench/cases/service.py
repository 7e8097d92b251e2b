"""What does training through the service cost?

The same spec (LeNet-5 on MNIST, batch 128, seed 3) as a job of a whole yard, which records metrics, keeps checkpoints
and listens for a cancel, and as `ml.recipes.train` called alone in one process, whose events nobody keeps
(`bench/baselines/recipe_alone.py`). In turn; both started from a fresh interpreter, on the same dataset folder, with
the same threads. What is compared is what each run notes of itself: the duration of the training stage, with
validation and checkpoints, and within it the time spent in optimizer steps.
A user would pick the recipe in a notebook.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bench.alone import run_python
from bench.results import Aim
from bench.setting import Measured, Setting
from bench.statistics import alternate, figure, ratio
from bench.yard import run_yard

AIM = Aim(relation="at most", value=1.03)
EXAMPLES = 54_000


def measure(setting: Setting) -> Measured:
    """Seconds of training both ways, and the ratio of service to alone."""
    spec = make_spec(setting)
    steps = spec["epochs"] * -(-spec["train_examples"] // spec["batch_size"])
    with run_yard(setting.folder / "yard", child_start="spawn") as yard:
        yard.run({**spec, "train_examples": 512, "epochs": 1})
        dataset = yard.cache / "datasets" / "mnist"
        served, alone = alternate(
            setting.count(5, 1),
            lambda: yard.facts(yard.run(spec)),
            lambda: train_alone(spec, dataset, setting.folder),
        )
    return Measured(
        [
            figure("through the service, training stage", "s", _stages(served)),
            figure("recipe alone, training stage", "s", _stages(alone)),
            ratio("service : alone, training stage", _stages(served), _stages(alone), AIM),
            figure("through the service, a step", "ms", _steps(served, steps)),
            figure("recipe alone, a step", "ms", _steps(alone, steps)),
            ratio("service : alone, a step", _steps(served, steps), _steps(alone, steps), AIM),
        ]
    )


def make_spec(setting: Setting) -> dict[str, Any]:
    """What both train."""
    return {
        "kind": "train",
        "dataset": "mnist",
        "network": {"name": "lenet5"},
        "epochs": setting.count(4, 1),
        "batch_size": 128,
        "seed": 3,
        "threads": os.cpu_count(),
        "train_examples": setting.count(EXAMPLES, 12_800),
    }


def train_alone(spec: dict[str, Any], dataset: Path, folder: Path) -> dict[str, Any]:
    """Call the recipe in a process of its own, and return the facts that it reported."""
    request = {"spec": spec, "dataset": str(dataset), "folder": str(folder), "threads": os.cpu_count()}
    return dict(run_python("bench.baselines.recipe_alone", request)["facts"])


def _stages(facts: list[dict[str, Any]]) -> list[float]:
    return [run["durations_s"]["training"] for run in facts]


def _steps(facts: list[dict[str, Any]], steps: int) -> list[float]:
    return [run["steps_s"] / steps * 1000 for run in facts]
