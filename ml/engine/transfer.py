"""What a fine-tuning starts from: the network that learned before, its numbers, and the stages in which it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras

from ml.engine.build import build_model
from ml.engine.checkpoint import read_checkpoint
from ml.engine.earlier import load_trained
from ml.engine.freezing import PartialForward, rates_by_block
from ml.engine.optimizers import make_optimizer
from ml.engine.pretrained import load_pretrained
from ml.engine.steps import RateGroup
from ml.engine.training import Course
from ml.inspections.pretrained import draw_pretrained, find_pretrained, fresh_layers
from ml.networks import Network
from ml.networks.transfer import NONE, frozen_layers
from ml.run_record import read_record
from records.orders import Order
from records.specs import FinetuneSpec
from records.specs.augmentation import Augmentation
from records.specs.finetune import Base

HEAD, UPPER = 1, 2
"""The stages: the head alone, then the upper layers too."""


@dataclass(frozen=True)
class Stage:
    """One stage of a fine-tuning."""

    number: int
    frozen: frozenset[str]
    """Layers whose weights stay."""
    augmentation: Augmentation | None
    course: Course

    @property
    def changes_images(self) -> bool:
        """Whether an image may look different from epoch to epoch."""
        return self.augmentation is not None and not self.augmentation.is_off


def read_base(base: Base, order: Order) -> Network:
    """The network that learned before, as it was trained; its numbers stay in their file."""
    if base.pretrained is not None:
        return draw_pretrained(find_pretrained(base.pretrained))
    return read_record(order.inputs["run"]).draw()


def load_base(
    spec: FinetuneSpec, order: Order, base: Network, network: Network, *, policy: str | None = None
) -> keras.Model:
    """A model of the network with a new head, and with the numbers of the base in all other layers.

    Args:
        spec: whose base it is; the head's first weights follow from its seed.
        order: `inputs["weights"]` is the file.
        base: as it was trained.
        network: the same with a new head.
        policy: of the layers, as `build_model` takes it.

    Raises:
        ModelUnreadable, WeightsUnreadable: the file does not fit.
    """
    model = build_model(network, seed=spec.seed, policy=policy)
    path = order.inputs["weights"]
    if spec.base.pretrained is not None:
        load_pretrained(model, network, find_pretrained(spec.base.pretrained), path)
        return model
    trained, fresh = load_trained(base, path), fresh_layers(network, None)
    for layer in trained.layers:
        if layer.name not in fresh and layer.weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())
    return model


def plan_stages(spec: FinetuneSpec, network: Network) -> list[Stage]:
    """The stages that have epochs, in their order."""
    head = fresh_layers(network, spec.base.pretrained)
    rule = spec.early_stopping
    chosen_by = rule.metric if rule else "val/loss"
    first = Course(spec.head_epochs, spec.head_learning_rate, spec.schedule, chosen_by=chosen_by, after=spec.epochs)
    second = Course(
        spec.epochs,
        spec.learning_rate,
        spec.schedule,
        early_stopping=rule,
        chosen_by=chosen_by,
        before=spec.head_epochs,
    )
    stages = (
        Stage(HEAD, frozen_layers(network, NONE, head), spec.augmentation if spec.augment_head else None, first),
        Stage(UPPER, frozen_layers(network, spec.unfreeze_from, head), spec.augmentation, second),
    )
    return [stage for stage in stages if stage.course.epochs]


def group_by_rate(spec: FinetuneSpec, network: Network, forward: PartialForward) -> list[RateGroup]:
    """The variables that learn, those of each block with an optimizer and a share of the rate of their own."""
    shares = rates_by_block(network, spec.rate_decay)
    groups: dict[float, list[keras.Variable]] = {}
    for layer, variables in forward.variables_by_layer.items():
        if variables:
            groups.setdefault(shares[layer], []).extend(variables)
    return [RateGroup(make_optimizer(spec.optimizer), variables, share) for share, variables in groups.items()]


def stage_of(checkpoint: Path | None) -> int:
    """The stage that a checkpoint was written in; the first without one."""
    if checkpoint is None:
        return HEAD
    _, meta = read_checkpoint(checkpoint)
    return int(meta["state"]["stage"])
