"""One configuration of `bench.cases.estimate`, run in a process of its own: the refined estimate, then the truth."""

from __future__ import annotations

from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

THREADS = 2


def measure(request: dict[str, Any], answers: Connection) -> None:
    """Trace the step, then run some, and send `traced_bytes`, `traced_s` and `measured_bytes`.

    Args:
        request: `network`, `options`, `input_shape`, `batch_size`, `optimizer`.
        answers: where the answer goes.
    """
    from ml.engine.device import prepare_device
    from records.orders import OrderedDevice

    prepare_device(OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=0, threads=THREADS))

    from ml.engine.measuring import BATCHES_AT_HAND, measure_peak
    from ml.engine.tracing import trace_peak
    from ml.networks import make_network
    from records.specs.train import SGD, Adam, AdamW

    optimizers = {"adam": Adam(), "adamw": AdamW(), "sgd": SGD(momentum=0.0), "momentum": SGD(momentum=0.9)}
    optimizer, batch_size = optimizers[request["optimizer"]], request["batch_size"]
    network = make_network(request["network"], tuple(request["input_shape"]), 10, request["options"])
    height, width, channels = network.input_shape
    measured = measure_peak(network, batch_size=batch_size, optimizer=optimizer)
    started = perf_counter()
    data_bytes = BATCHES_AT_HAND * batch_size * height * width * channels
    traced = trace_peak(network, batch_size=batch_size, optimizer=optimizer, data_bytes=data_bytes)
    answers.send(
        {
            "measured_bytes": measured,
            "traced": [traced.low, traced.likely, traced.high],
            "traced_s": round(perf_counter() - started, 2),
        }
    )
    answers.close()
