"""How a recipe's step saves memory: as its spec says, or as its order says where the spec's way did not do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from ml.engine.precision import FLOAT16, LossScale, layer_policy
from ml.engine.recompute import RecomputedForward, WholeForward
from ml.networks import IMAGES, Auxiliary, Network
from records.orders import Order
from records.specs.memory import SavingMemory
from records.thrift import Thrift


@dataclass(frozen=True)
class ThriftySteps:
    """What model and steps are to be made with."""

    thrift: Thrift
    policy: str
    """Of the layers, as Keras names it."""
    loss_scale: LossScale | None

    @classmethod
    def of(cls, spec: SavingMemory, order: Order) -> ThriftySteps:
        """What the order says, else the spec; on the order's device."""
        thrift = order.thrift or Thrift.of(spec.model_dump())
        policy = layer_policy(thrift.precision, device_kind=order.device.kind)
        return cls(thrift, policy, LossScale() if policy == FLOAT16 else None)

    @property
    def variables(self) -> Sequence[tf.Variable]:
        """What belongs into a checkpoint besides those of model and optimizer."""
        return self.loss_scale.variables if self.loss_scale else ()

    @property
    def step_options(self) -> dict[str, Any]:
        """Arguments of `ml.engine.steps.TrainingSteps`."""
        return {"micro_batch": self.thrift.micro_batch, "loss_scale": self.loss_scale}

    def at_once(self, images: int) -> int:
        """Of so many images, how many may go through the network at a time."""
        return min(images, self.thrift.micro_batch or images)

    def forward(
        self,
        forward: WholeForward,
        model: keras.Model,
        network: Network,
        *,
        auxiliary: Sequence[Auxiliary] = (),
        still: Collection[str] = (),
        start: str = IMAGES,
    ) -> WholeForward:
        """The forward pass, or one that is computed again in the backward pass (`RecomputedForward`)."""
        if not self.thrift.recompute:
            return forward
        return RecomputedForward(forward, model, network, auxiliary=auxiliary, still=still, start=start)

    def facts(self, batch_size: int, *, normalises: bool) -> dict[str, Any]:
        """For the run's record, with the note on batch normalisation where it is due."""
        found: dict[str, Any] = {
            "thrift": {**self.thrift.model_dump(), "policy": self.policy, "batch_size": batch_size}
        }
        if normalises and self.at_once(batch_size) < batch_size:
            found["thrift"]["note"] = (
                f"Batch normalisation sees micro-batches of {self.thrift.micro_batch} images, not batches of "
                f"{batch_size}: their means and variances, and as many updates of its averages a step as there are "
                "micro-batches. All else adds up to the whole batch."
            )
        return found


def normalises_batches(network: Network, still: Collection[str] = ()) -> bool:
    """Whether layers of a network look at the whole batch while they train."""
    return any(node.layer.type == "BatchNormalization" and node.name not in still for node in network.layers)
