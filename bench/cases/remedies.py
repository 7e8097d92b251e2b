"""How much memory does each remedy for out-of-memory save?

The peak of the training step of ResNet-32 on 32 × 32 images, a batch of 64, SGD with momentum, as TensorFlow's
allocator on the CPU counts it, each remedy alone and in a process of its own; beside it what the estimate says. A
larger stride, fewer layers and a smaller batch change the experiment; micro-batches, mixed precision and recomputing
do not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bench.alone import run_python
from bench.results import Figure
from bench.setting import Measured, Setting
from bench.statistics import figure
from ml.estimates import Plan, Training
from ml.networks import Network, make_network

BATCH, MICRO = 64, 16
SHAPE, CLASSES = (32, 32, 3), 10
AS_IT_IS = Plan(BATCH, optimizer="momentum")


def measure(setting: Setting) -> Measured:
    """Megabytes at the worst moment, measured and estimated."""
    network = make_network("resnet32", SHAPE, CLASSES, {})
    rows: list[tuple[str, Network, Plan]] = [
        ("as it is", network, AS_IT_IS),
        (f"micro-batches of {MICRO}", network, replace(AS_IT_IS, micro=MICRO)),
        ("mixed precision", network, replace(AS_IT_IS, precision="mixed")),
        ("recomputing", network, replace(AS_IT_IS, recompute=True)),
        ("all three", network, Plan(BATCH, "momentum", precision="mixed", micro=MICRO, recompute=True)),
        ("a batch of half the size", network, replace(AS_IT_IS, batch_size=BATCH // 2)),
        ("a stride of 2 in the first layer", strided(network), AS_IT_IS),
        ("fewer layers: resnet20", make_network("resnet20", SHAPE, CLASSES, {}), AS_IT_IS),
    ]
    measured = Measured()
    for what, drawn, plan in rows[: setting.count(len(rows), 2)]:
        measured.figures += _both(what, drawn, plan)
    return measured


def strided(network: Network) -> Network:
    """The network with a further stride of 2 in its first convolution."""
    told: dict[str, Any] = network.to_json()
    first = next(layer for layer in told["layers"] if layer["type"] == "Conv2D")
    first["options"]["strides"] = [2, 2]
    return Network.from_json(told)


def _both(what: str, network: Network, plan: Plan) -> list[Figure]:
    request = {
        "network": network.to_json(),
        "batch_size": plan.batch_size,
        "micro_batch": plan.micro,
        "precision": plan.precision,
        "recompute": plan.recompute,
    }
    peak_bytes = run_python("bench.baselines.remedy_alone", request)["peak_bytes"]
    likely = Training(network, plan).peak(plan.batch_size, kind="cpu").likely
    return [
        figure(f"{what}: measured", "MB", [peak_bytes / 1e6]),
        figure(f"{what}: estimated", "MB", [likely / 1e6]),
    ]
