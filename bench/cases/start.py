"""How soon does a job train?

From the job's row (written before the 202 leaves) to the end of its first optimizer step, for LeNet-5 on 512 images
of MNIST. Two whole yards stand side by side: one starts children from a process that has imported TensorFlow and
Keras (`child_start=preload`), the other as fresh interpreters (`spawn`). Both have run a job before, so the dataset
is there and files are in the page cache. Jobs go to them in turn, and each waits for the other's to end.
A user would pick a script: `python train.py` pays the import each time, as `spawn` does.
"""

from __future__ import annotations

from bench.results import Aim
from bench.setting import Measured, Setting
from bench.statistics import alternate, figure, ratio
from bench.yard import Yard, run_yard

AIM = Aim(relation="at least", value=3.5)
LENET = {
    "kind": "train",
    "dataset": "mnist",
    "network": {"name": "lenet5"},
    "epochs": 1,
    "batch_size": 128,
    "train_examples": 512,
}


def measure(setting: Setting) -> Measured:
    """Seconds to the first step, both ways, and how many times sooner the preloaded way is."""
    with (
        run_yard(setting.folder / "preload", child_start="preload") as preload,
        run_yard(setting.folder / "spawn", child_start="spawn") as spawn,
    ):
        for yard in (preload, spawn):
            yard.run(LENET)
        fresh, ready = alternate(setting.count(10, 2), lambda: _first_step_s(spawn), lambda: _first_step_s(preload))
    return Measured(
        [
            figure("preload, 202 to the first step", "s", ready),
            figure("spawn, 202 to the first step", "s", fresh),
            ratio("spawn : preload", fresh, ready, AIM),
        ]
    )


def _first_step_s(yard: Yard) -> float:
    return yard.to_first_step_s(yard.run(LENET))
