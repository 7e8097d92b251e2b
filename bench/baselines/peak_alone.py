"""One training of `bench.trainings`, run in a process of its own: what it really takes, or the refined estimate."""

from __future__ import annotations

import json
import sys
from math import prod
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from bench.trainings import Configuration
from ml.engine.quiet import quieten

THREADS = 2


def measure(one: Configuration, answers: Connection) -> None:
    """Run some steps and an epoch's end; send `measured_bytes` and `resident_bytes`."""
    with TemporaryDirectory() as folder:
        answers.send(_measure(one, Path(folder)))
    answers.close()


def trace(one: Configuration, answers: Connection) -> None:
    """Trace the step; send `traced_low_bytes`, `traced_bytes`, `traced_high_bytes` and `traced_s`."""
    _prepare()
    from ml.engine.measuring import BATCHES_AT_HAND
    from ml.engine.tracing import trace_peak

    started, network = perf_counter(), one.draw()
    peak = trace_peak(
        network,
        batch_size=one.batch_size,
        optimizer=_optimizer(one.optimizer),
        data_bytes=BATCHES_AT_HAND * one.batch_size * prod(network.input_shape),
        threads=THREADS,
    )
    answers.send(
        {
            "traced_low_bytes": peak.low,
            "traced_bytes": peak.likely,
            "traced_high_bytes": peak.high,
            "traced_s": round(perf_counter() - started, 2),
        }
    )
    answers.close()


def _measure(one: Configuration, folder: Path) -> dict[str, Any]:
    _prepare()
    from ml.engine.measuring import measure_peak
    from ml.engine.memory import peak_resident_bytes

    measured = measure_peak(one.draw(), batch_size=one.batch_size, optimizer=_optimizer(one.optimizer), folder=folder)
    return {"measured_bytes": measured, "resident_bytes": peak_resident_bytes()}


def _prepare() -> None:
    from ml.engine.device import prepare_device
    from records.orders import OrderedDevice

    prepare_device(OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**36, threads=THREADS))


def _optimizer(name: str) -> Any:
    from records.specs.train import SGD, Adam, AdamW

    return {"adam": Adam(), "adamw": AdamW(), "sgd": SGD(momentum=0.0), "momentum": SGD(momentum=0.9)}[name]


def main() -> None:
    """Measure the training that comes as JSON down standard input; nothing is imported before it has come."""
    one = Configuration(*json.loads(sys.stdin.readline()))
    quieten()
    with TemporaryDirectory() as folder:
        _measure(one, Path(folder))


if __name__ == "__main__":
    main()
