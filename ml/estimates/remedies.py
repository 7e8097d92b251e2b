"""What makes a training fit: the largest batch, and the changes that save memory, the cheapest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil

from ml.estimates.peak import Peak, Training, Weights
from ml.estimates.plan import SLOTS, DeviceKind, Plan
from ml.networks import Network

LARGEST_BATCH = 65_536
"""Of `records.specs.TrainSpec.batch_size`."""
SMALLER = {
    "resnet152": "resnet101",
    "resnet101": "resnet50",
    "resnet50": "resnet34",
    "resnet34": "resnet18",
    "resnet56": "resnet44",
    "resnet44": "resnet32",
    "resnet32": "resnet20",
    "se_resnet50": "se_resnet34",
    "se_resnet34": "se_resnet18",
    "xception": "mobilenet_v2",
    "vgg19": "vgg16",
    "vgg16": "squeezenet",
    "mobilenet_v3_large": "mobilenet_v3_small",
    **{f"efficientnet_b{number}": f"efficientnet_b{number - 1}" for number in (1, 2, 3)},
    "efficientnet_b0": "efficientnet_lite0",
    **{f"efficientnet_lite{number}": f"efficientnet_lite{number - 1}" for number in (1, 2)},
    "efficientnet_v2_s": "efficientnet_v2_b3",
    **{f"efficientnet_v2_b{number}": f"efficientnet_v2_b{number - 1}" for number in (1, 2, 3)},
    "convnext_tiny": "efficientnet_v2_b0",
    "alexnet": "plain_cnn",
    "googlenet": "plain_cnn",
}
"""For a network, one of the same family, or of the same use, with fewer layers or parameters."""


@dataclass(frozen=True)
class Smaller:
    """A network with fewer layers for the same images."""

    network: Network
    change: dict[str, object]
    """Fields of the spec that ask for it, by dotted path."""


@dataclass(frozen=True)
class Remedy:
    """A change that saves memory."""

    code: str
    title: str
    saves_bytes: int
    """Of the peak; never negative."""
    peak_bytes: int
    """The likely peak with it."""
    change: dict[str, object] | None
    """Fields of the spec that make it, by dotted path; None where the yard cannot do it yet: advice only."""


def largest_batch(training: Training, peak: Peak, *, kind: DeviceKind, holds: Callable[[int], bool], batch: int) -> int:
    """The largest batch whose upper end fits; 0 when not even one image does.

    The peak over the batch is taken as a straight line through two exact walks, raised to what the allocator adds.

    Args:
        training: of the network.
        peak: at the batch size that was asked for.
        kind: of the device.
        holds: whether a peak of so many bytes fits.
        batch: the batch size that was asked for.
    """
    other = 2 * batch
    near, far = (training.exact(size, kind=kind) for size in (batch, other))
    slope = (far - near) / batch
    factor = peak.high / max(1, peak.exact)

    def fits(size: int) -> bool:
        return holds(round((near + slope * (size - batch)) * factor))

    if not fits(1):
        return 0
    low, high = 1, LARGEST_BATCH
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def list_remedies(
    network: Network,
    training: Training,
    plan: Plan,
    peak: Peak,
    *,
    kind: DeviceKind,
    smaller: Smaller | None,
    saves_memory: bool = True,
) -> list[Remedy]:
    """What each change alone would save, in the order in which to try them; those that save nothing are left out.

    Args:
        network: what is trained.
        training: of it.
        plan: how.
        peak: as it is now.
        kind: of the device.
        smaller: a smaller network for the same images, if there is one.
        saves_memory: whether the spec has fields for micro-batches, precision and recomputing; else they are advice.
    """

    def remedy(code: str, title: str, exact: int, change: dict[str, object] | None = None) -> Remedy:
        likely = min(peak.likely, round(exact * peak.likely / max(1, peak.exact)))
        return Remedy(code, title, peak.likely - likely, likely, change)

    batch, half, data = plan.batch_size, max(1, plan.batch_size // 2), peak.data
    halved = training.exact(half, kind=kind)
    micro = max(1, ceil(plan.micro_batch / 4))
    mixed = Training(network, replace(plan, precision="mixed"), data_bytes=data)
    recomputed = Training(network, replace(plan, recompute=True), data_bytes=data)
    found = [
        remedy("smaller_batch", f"A batch of {half}", halved, {"batch_size": half}),
        remedy(
            "accumulation",
            f"The same batch as micro-batches of {micro}, their gradients added up",
            training.exact(batch, kind=kind, micro=micro),
            {"micro_batch": micro} if saves_memory else None,
        ),
        remedy(
            "mixed_precision",
            "16-bit activations, 32-bit weights",
            mixed.exact(batch, kind=kind),
            {"precision": "mixed"} if saves_memory else None,
        ),
        remedy(
            "recompute",
            "Activations computed again in the backward pass",
            recomputed.exact(batch, kind=kind),
            {"recompute": True} if saves_memory else None,
        ),
        remedy("more_devices", "Two devices, half of the batch on each", halved),
        remedy("larger_stride", "A further stride of 2 in the first layer", _quartered(training.weights, plan, peak)),
    ]
    if smaller is not None:
        exact = Training(smaller.network, plan, data_bytes=data).exact(batch, kind=kind)
        found.append(remedy("smaller_network", f"Fewer layers: {smaller.network.name}", exact, smaller.change))
    return [one for one in found if one.saves_bytes > 0]


def _quartered(weights: Weights, plan: Plan, peak: Peak) -> int:
    """All maps half as high and wide: a quarter of the activations; weights, gradients and slots stay."""
    rest = sum(weights.trained) * (2 + SLOTS[plan.optimizer]) + sum(weights.fixed) + peak.data
    return min(peak.exact, rest + max(0, peak.exact - rest) // 4)
