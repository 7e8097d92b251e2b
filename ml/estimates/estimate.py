"""What a training will cost, before it runs: parameters, memory by hand and in truth, multiply-adds. Milliseconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ml.estimates.peak import LargestOf, Peak, Training
from ml.estimates.plan import SLOTS, DeviceKind, Plan
from ml.estimates.textbook import FLOAT_BYTES, Textbook, count_by_hand
from ml.networks import Network

FORM = 2
"""Grows when the meaning of a stored estimate changes; corrections take only those of the same form."""
BACKWARD_COST = 2
"""Multiply-adds of the backward pass for each of the forward pass: two products where there was one."""


@dataclass(frozen=True)
class Estimate:
    """All that is known of a training before it runs."""

    trainable_parameters: int
    fixed_parameters: int
    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    by_hand: Textbook
    peaks: dict[DeviceKind, Peak]
    multiply_adds_image: int
    """To predict one image."""
    multiply_adds_step: int
    """To train a batch."""
    steps_per_epoch: int

    def to_json(self) -> dict[str, Any]:
        """Plain data, as it is stored with a job."""
        hand = self.by_hand
        return {
            "form": FORM,
            "parameters": {"trainable": self.trainable_parameters, "fixed": self.fixed_parameters},
            "weights_bytes": self.weights_bytes,
            "gradients_bytes": self.gradients_bytes,
            "optimizer_bytes": self.optimizer_bytes,
            "by_hand": {"predict_bytes": hand.predict, "train_bytes": hand.train, **_renamed(hand)},
            "peak": {
                kind: {
                    "low_bytes": peak.low,
                    "likely_bytes": peak.likely,
                    "high_bytes": peak.high,
                    "data_bytes": peak.data,
                }
                for kind, peak in self.peaks.items()
            },
            "multiply_adds": {"image": self.multiply_adds_image, "step": self.multiply_adds_step},
            "steps_per_epoch": self.steps_per_epoch,
        }


def estimate_training(
    network: Network,
    training: Training | LargestOf,
    plan: Plan,
    *,
    images: int,
    kinds: Iterable[DeviceKind] = ("cpu", "gpu"),
) -> Estimate:
    """Estimate the training of a network.

    Args:
        network: what is trained.
        training: of it.
        plan: how.
        images: in the training split.
        kinds: of devices to find the peak for.
    """
    weights, batch = training.weights, min(plan.batch_size, images)
    trained = sum(weights.trained)
    return Estimate(
        trainable_parameters=trained // FLOAT_BYTES,
        fixed_parameters=sum(weights.fixed) // FLOAT_BYTES,
        weights_bytes=trained + sum(weights.fixed),
        gradients_bytes=trained,
        optimizer_bytes=trained * SLOTS[plan.optimizer],
        by_hand=count_by_hand(network, batch_size=batch),
        peaks={kind: training.peak(batch, kind=kind) for kind in kinds},
        multiply_adds_image=network.main.multiply_adds,
        multiply_adds_step=batch
        * (network.multiply_adds * (1 + plan.recompute) + BACKWARD_COST * _learning_multiply_adds(network, plan)),
        steps_per_epoch=-(-images // batch),
    )


def _learning_multiply_adds(network: Network, plan: Plan) -> int:
    """Of the layers that have a backward pass, for one image."""
    return sum(row.multiply_adds for row in network.table if row.name not in plan.frozen)


def _renamed(hand: Textbook) -> dict[str, int]:
    return {f"{name}_bytes": value for name, value in asdict(hand).items()}
