"""How far is the estimated peak of a training step from the measured one?

Over the configurations below, each in a process of its own on the CPU: the instant estimate from the layers alone
(`ml.estimates`), the refined one from the traced step (`ml.engine.tracing`), and the peak of the recipe's own step, as
TensorFlow's allocator counts it. The list goes into `bench/estimates.json` and `docs/estimates.md`. Aims: the instant
estimate within 8 % on average and 20 % at worst, the refined one within 4 %, none outside its range.
Also: milliseconds to make and estimate ResNet-152 at 224 pixels, as `POST /estimates` does for a yard with a CPU.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from math import prod
from multiprocessing import get_context
from typing import Any, NamedTuple

from bench.baselines import peak_alone
from bench.estimates_list import Row, read_rows, write_rows
from bench.results import Aim, Figure
from bench.setting import Measured, Setting
from bench.statistics import figure
from ml.estimates import Plan, Training, estimate_training
from ml.networks import make_network
from records.settings import child_environment

BATCHES_AT_HAND = 4
"""Of `ml.engine.measuring`."""


class Configuration(NamedTuple):
    """One training."""

    network: str
    side: int
    channels: int
    batch_size: int
    optimizer: Any
    options: dict[str, Any] = {}  # noqa: RUF012


CONFIGURATIONS = (
    Configuration("lenet5", 28, 1, 128, "adam"),
    Configuration("lenet5", 28, 1, 1024, "adam"),
    Configuration("lenet5", 28, 1, 512, "momentum", {"variant": "classic"}),
    Configuration("dense", 28, 1, 1024, "adam"),
    Configuration("dense", 28, 1, 128, "adamw", {"hidden": [2048, 2048]}),
    Configuration("dense", 64, 3, 256, "adam"),
    Configuration("dense", 64, 3, 256, "sgd"),
    Configuration("plain_cnn", 32, 3, 128, "adam"),
    Configuration("plain_cnn", 64, 3, 64, "momentum"),
    Configuration("alexnet", 64, 3, 32, "adam"),
    Configuration("alexnet", 128, 3, 16, "adamw"),
    Configuration("alexnet", 224, 3, 8, "momentum"),
    Configuration("googlenet", 96, 3, 16, "adam"),
    Configuration("googlenet", 128, 3, 16, "sgd"),
    Configuration("googlenet", 224, 3, 4, "momentum"),
    Configuration("resnet20", 32, 3, 128, "momentum"),
    Configuration("resnet20", 32, 3, 32, "adam"),
    Configuration("resnet32", 28, 1, 64, "adam"),
    Configuration("resnet56", 32, 3, 32, "adam"),
    Configuration("resnet18", 64, 3, 32, "adam"),
    Configuration("resnet18", 224, 3, 4, "momentum"),
    Configuration("resnet34", 64, 3, 16, "adam"),
    Configuration("resnet34", 112, 3, 8, "momentum"),
    Configuration("resnet50", 64, 3, 32, "adam"),
    Configuration("resnet50", 128, 3, 8, "adamw"),
    Configuration("resnet50", 224, 3, 2, "adam"),
    Configuration("se_resnet18", 64, 3, 32, "adam"),
    Configuration("se_resnet34", 64, 3, 16, "sgd"),
    Configuration("se_resnet50", 96, 3, 8, "adam"),
    Configuration("se_inception", 64, 3, 32, "adam"),
    Configuration("xception", 96, 3, 8, "adam"),
    Configuration("xception", 128, 3, 8, "momentum"),
    Configuration("mobilenet_v2", 64, 3, 32, "adam"),
    Configuration("mobilenet_v2", 128, 3, 16, "momentum"),
    Configuration("resnet101", 64, 3, 8, "momentum"),
    Configuration("resnet152", 64, 3, 4, "adam"),
)


def measure(setting: Setting) -> Measured:
    """Errors of both estimates, in percent, and milliseconds of the instant one."""
    chosen = CONFIGURATIONS[: setting.count(len(CONFIGURATIONS), 3)]
    rows = []
    for row in _measured_rows(chosen):
        rows.append(row)
        print(f"   {row.as_line()}", flush=True)
        if not setting.quick:
            write_rows(rows)
    return Measured([*error_figures(rows), *_speed_figures(setting)])


def error_figures(rows: list[Row]) -> list[Figure]:
    """What the list says in a few numbers."""
    instant, traced = [abs(row.error) * 100 for row in rows], [abs(row.traced_error) * 100 for row in rows]
    return [
        figure("instant: mean error", "%", [sum(instant) / len(instant)], Aim(relation="at most", value=8)),
        figure("instant: worst error", "%", [max(instant)], Aim(relation="at most", value=20)),
        figure("instant: outside its range", "of all", [float(sum(not row.in_range for row in rows))]),
        figure("refined: mean error", "%", [sum(traced) / len(traced)], Aim(relation="at most", value=4)),
        figure("refined: worst error", "%", [max(traced)]),
    ]


def again() -> list[Row]:
    """The kept measurements with the instant estimate of today's code."""
    return [_row(_configuration(row), row.measured_bytes, row.traced_bytes, row.traced_s) for row in read_rows()]


def _configuration(row: Row) -> Configuration:
    return Configuration(row.network, row.side, row.channels, row.batch_size, row.optimizer, row.options)


def _measured_rows(chosen: tuple[Configuration, ...]) -> Iterator[Row]:
    os.environ.update(child_environment())
    context = get_context("forkserver")
    context.set_forkserver_preload(["ml.preload"])
    for one in chosen:
        answers, theirs = context.Pipe(duplex=False)
        request = {**one._asdict(), "input_shape": (one.side, one.side, one.channels)}
        process = context.Process(target=peak_alone.measure, args=(request, theirs))
        process.start()
        theirs.close()
        answer = answers.recv()
        process.join()
        yield _row(one, answer["measured_bytes"], answer["traced"][1], answer["traced_s"])


def _row(one: Configuration, measured_bytes: int, traced_bytes: int, traced_s: float) -> Row:
    shape = (one.side, one.side, one.channels)
    network = make_network(one.network, shape, 10, one.options)
    plan = Plan(one.batch_size, one.optimizer)
    training = Training(network, plan, data_bytes=BATCHES_AT_HAND * one.batch_size * prod(shape))
    peak = training.peak(one.batch_size, kind="cpu")
    return Row(
        **one._asdict(),
        low_bytes=peak.low,
        likely_bytes=peak.likely,
        high_bytes=peak.high,
        traced_bytes=traced_bytes,
        traced_s=traced_s,
        measured_bytes=measured_bytes,
    )


def _speed_figures(setting: Setting) -> list[Figure]:
    times = []
    for _ in range(setting.count(20, 3)):
        started = time.perf_counter()
        plan = Plan(32)
        network = make_network("resnet152", (224, 224, 3), 1000, {})
        training = Training(network, plan, data_bytes=0)
        estimate_training(network, training, plan, images=50_000, kinds=("cpu",))
        times.append((time.perf_counter() - started) * 1000)
    return [figure("ResNet-152 at 224 px, made and estimated", "ms", times, Aim(relation="at most", value=50))]
