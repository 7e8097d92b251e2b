"""How soon does a job train?

From the job's row (written before the 202 leaves) to the end of its first optimizer step, for LeNet-5 on 512 images
of MNIST. Two whole yards stand side by side: one starts children from a process that has imported TensorFlow and
Keras (`child_start=preload`), the other as fresh interpreters (`spawn`). Both have run a job before, so the dataset
is there and files are in the page cache. Jobs go to them in turn, and each waits for the other's to end.
A user would pick a script: `python train.py` pays the import each time, as `spawn` does.
"""

from __future__ import annotations

from typing import NamedTuple

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
        fresh, ready = alternate(setting.count(10, 2), lambda: _run(spawn), lambda: _run(preload))
    return Measured(
        [
            figure("preload, 202 to the first step", "s", [start.to_first_step_s for start in ready]),
            figure("spawn, 202 to the first step", "s", [start.to_first_step_s for start in fresh]),
            ratio("spawn : preload", [s.to_first_step_s for s in fresh], [s.to_first_step_s for s in ready], AIM),
            figure("preload: 202 to the worker's claim", "s", [start.to_claim_s for start in ready]),
            figure("preload: reading the images", "s", [start.loading_s for start in ready]),
            figure("preload: building the network", "s", [start.building_s for start in ready]),
            figure("preload: child, device, tracing, the step", "s", [start.rest_s for start in ready]),
        ]
    )


class Start(NamedTuple):
    """How long the parts of one job's start took."""

    to_first_step_s: float
    to_claim_s: float
    loading_s: float
    building_s: float

    @property
    def rest_s(self) -> float:
        """What is neither waiting for the claim nor a stage of its own: the child's start, tracing, the step."""
        return self.to_first_step_s - self.to_claim_s - self.loading_s - self.building_s


def _run(yard: Yard) -> Start:
    job_id = yard.run(LENET)
    stages = yard.facts(job_id)["durations_s"]
    return Start(yard.to_first_step_s(job_id), yard.to_claim_s(job_id), stages["loading"], stages["building"])
