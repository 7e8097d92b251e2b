"""The cost of one spec: what `ml.kinds` hands to whoever asks, traced only when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from ml.estimates.estimate import Estimate, estimate_training
from ml.estimates.fitting import Room, advise
from ml.estimates.peak import Training
from ml.estimates.plan import DeviceKind, OptimizerName, Plan
from ml.estimates.remedies import SMALLER, Smaller
from ml.networks import Network, NetworkError, make_network
from records.specs import TrainSpec
from records.specs.train import SGD


@dataclass(frozen=True)
class Cost:
    """What a training would cost."""

    network: Network
    plan: Plan
    images: int
    """In the training split."""
    held_images: int
    """In the training split and the validation part."""
    smaller: Smaller | None = None

    @cached_property
    def estimate(self) -> Estimate:
        """The whole estimate, for either kind of device."""
        return estimate_training(self.network, self._training, self.plan, images=self.images)

    def advise(self, rooms: Sequence[Room], factors: Mapping[DeviceKind, float]) -> list[dict[str, Any]]:
        """For each device: fits or not, the largest batch, what would make it fit (`ml.estimates.fitting`)."""
        return advise(
            self.network,
            self._training,
            self.plan,
            rooms,
            peaks=self.estimate.peaks,
            factors=factors,
            beside_bytes=self._training.beside(images_bytes=self.held_images * prod(self.network.input_shape)),
            smaller=self.smaller,
        )

    @cached_property
    def _training(self) -> Training:
        return Training(self.network, self.plan, data_bytes=self.images * prod(self.network.input_shape))


def cost_of_training(spec: TrainSpec, network: Network, *, images: int) -> Cost:
    """The cost of a train spec.

    Args:
        spec: what was asked.
        network: the one it names, for its dataset.
        images: in the dataset's training split, before validation is set aside.
    """
    left = round(images * (1 - spec.validation_fraction))
    used = max(1, min(left, spec.train_examples or left))
    plan = Plan(
        batch_size=min(spec.batch_size, used),
        optimizer=_optimizer(spec),
        augmented=spec.augmentation is not None,
    )
    return Cost(network, plan, used, images - left + used, _smaller(spec, network))


def _optimizer(spec: TrainSpec) -> OptimizerName:
    if isinstance(spec.optimizer, SGD):
        return "momentum" if spec.optimizer.momentum else "sgd"
    return spec.optimizer.name


def _smaller(spec: TrainSpec, network: Network) -> Smaller | None:
    name = SMALLER.get(spec.network.name)
    if name is None:
        return None
    try:
        made = make_network(name, network.input_shape, network.classes, {})
    except NetworkError:
        return None
    return Smaller(made, {"network": {"name": name}})
