"""Does a training step of each network take as long as that of the same network written plainly in Keras?

Our network with our compiled step (`bench/baselines/our_step.py`), and the same network as one writes it in Keras or as
`keras.applications` has it, with the step of Keras's own guide to training loops (`plain_step.py`,
`plain_networks.py`): the same random images, batch, Adam and number of parameters. A process each, which take turns of
about a second. Small images, so that it is done in minutes. A user would write the plain one.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from bench.in_turn import Worker
from bench.results import Aim, Figure
from bench.setting import Measured, Setting
from bench.statistics import alternate, figure, ratio

NOT_SLOWER = Aim(relation="at most", value=1.0)


class Case(NamedTuple):
    """A network with its images, and how many steps make a turn of about a second."""

    network: str
    side: int
    channels: int
    batch_size: int
    steps: int
    options: dict[str, Any] = {}  # noqa: RUF012


CASES = (
    Case("lenet5", 28, 1, 128, 80),
    Case("dense", 28, 1, 128, 80),
    Case("plain_cnn", 32, 3, 64, 8),
    Case("alexnet", 64, 3, 32, 3, {"groups": 1}),
    Case("googlenet", 72, 3, 16, 4),
    Case("resnet18", 64, 3, 16, 4),
    Case("se_resnet18", 64, 3, 16, 4),
    Case("resnet50", 64, 3, 8, 3, {"conv_bias": True}),
    Case("xception", 71, 3, 8, 3, {"dropout": 0.0}),
    Case("mobilenet_v2", 64, 3, 16, 4, {"dropout": 0.0}),
)


def measure(setting: Setting) -> Measured:
    """Milliseconds a step of both, and how one compares with the other, for each network."""
    figures: list[Figure] = []
    for case in CASES:
        found = _measure(case, setting)
        figures += found
        print(f"   {case.network}: {found[-1].median:.3f} ({found[-1].min:.3f} – {found[-1].max:.3f})", flush=True)
    return Measured(figures)


def _measure(case: Case, setting: Setting) -> list[Figure]:
    request = {
        "network": case.network,
        "shape": (case.side, case.side, case.channels),
        "batch_size": case.batch_size,
        "options": case.options,
        "steps": case.steps,
        "threads": os.cpu_count(),
    }
    with Worker("bench.baselines.our_step", request) as ours, Worker("bench.baselines.plain_step", request) as plain:
        if ours.facts != plain.facts:
            raise RuntimeError(f"{case.network}: not the same network: {ours.facts} and {plain.facts}.")
        taken = alternate(setting.count(21, 3), ours.turn, plain.turn)
    ours_ms, plain_ms = ([seconds / case.steps * 1000 for seconds in column] for column in taken)
    name = f"{case.network}, {case.side} px, batch {case.batch_size}"
    return [
        figure(f"{name}: ours", "ms/step", ours_ms),
        figure(f"{name}: plain", "ms/step", plain_ms),
        ratio(f"{name}: ours : plain", ours_ms, plain_ms, NOT_SLOWER),
    ]
