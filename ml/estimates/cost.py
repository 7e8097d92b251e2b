"""The cost of one spec: what `ml.kinds` hands to whoever asks, traced only when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ml.estimates.estimate import Estimate, estimate_training
from ml.estimates.fitting import Room, advise
from ml.estimates.peak import LargestOf, Training
from ml.estimates.plan import DeviceKind, OptimizerName, Plan
from ml.estimates.remedies import SMALLER, Smaller, list_remedies
from ml.networks import Network, NetworkError, make_network
from ml.sizing import HELD_BYTES, evaluation_sizing, training_sizing
from records.library import DatasetCard
from records.specs import FinetuneSpec, SegmentSpec, TrainSpec
from records.specs.memory import SavingMemory
from records.specs.train import SGD, Optimizer


@dataclass(frozen=True)
class Cost:
    """What a training would cost."""

    network: Network
    plan: Plan
    images: int
    """To train on."""
    data_bytes: int
    """Of them, where they are held in memory."""
    smaller: Smaller | None = None
    before: tuple[Plan, ...] = ()
    """Of stages before the last, where there are several."""
    held_bytes: int = 0
    """Of images that the process holds itself, beside the framework."""
    saves_memory: bool = True
    """Whether the spec has fields for micro-batches, precision and recomputing."""

    @cached_property
    def estimate(self) -> Estimate:
        """The whole estimate, for either kind of device."""
        return estimate_training(self.network, self._training, self.plan, images=self.images)

    @property
    def beside_bytes(self) -> int:
        """What the process holds in main memory beside the framework's allocator."""
        return self._training.beside(images_bytes=self.data_bytes) + self.held_bytes

    def advise(self, rooms: Sequence[Room], factors: Mapping[DeviceKind, float]) -> list[dict[str, Any]]:
        """For each device: fits or not, the largest batch, what would make it fit (`ml.estimates.fitting`)."""
        return advise(
            self.network,
            self._training,
            self.plan,
            rooms,
            peaks=self.estimate.peaks,
            factors=factors,
            beside_bytes=self.beside_bytes,
            smaller=self.smaller,
            saves_memory=self.saves_memory,
        )

    def changes(self, kind: DeviceKind) -> dict[str, int]:
        """What changes to the experiment would save of the peak on such a device, in bytes, by what they are."""
        peak = self.estimate.peaks[kind]
        found = list_remedies(self.network, self._training, self.plan, peak, kind=kind, smaller=self.smaller)
        told = {remedy.code: remedy for remedy in found}
        words = {
            "a larger stride in the first layer": "larger_stride",
            "images half as high and wide": "larger_stride",  # a quarter of every map, the same
            f"a batch of {max(1, self.plan.batch_size // 2)}": "smaller_batch",
        }
        if self.smaller is not None:
            words[f"fewer layers ({self.smaller.network.name})"] = "smaller_network"
        return {what: told[code].saves_bytes for what, code in words.items() if code in told}

    @cached_property
    def _training(self) -> Training | LargestOf:
        plans = (*self.before, self.plan)
        trainings = [Training(self.network, plan, data_bytes=self.data_bytes) for plan in plans]
        return LargestOf(trainings) if self.before else trainings[0]


def cost_of_training(spec: TrainSpec, network: Network, dataset: DatasetCard) -> Cost:
    """The cost of a train spec.

    Args:
        spec: what was asked.
        network: the one it names, for its dataset.
        dataset: to train on.
    """
    used = count_used(spec, dataset)
    plan = Plan(
        batch_size=min(spec.batch_size, used),
        optimizer=optimizer_name(spec.optimizer),
        augmented=spec.augmentation is not None and not spec.augmentation.is_off,
        averaged=spec.averaging is not None,
        **_saving(spec),
    )
    return Cost(network, plan, used, held_bytes(spec, network, dataset, images=used), _smaller(spec, network))


def cost_of_finetuning(
    spec: FinetuneSpec,
    network: Network,
    dataset: DatasetCard,
    *,
    frozen: frozenset[str],
    fresh: frozenset[str],
) -> Cost:
    """The cost of a finetune spec: the larger of its two stages.

    Args:
        spec: what was asked.
        network: with its new head.
        dataset: to train on.
        frozen: layers that stay as they are in the second stage.
        fresh: layers of the new head.
    """
    used = count_used(spec, dataset)
    norms = {node.name for node in network.layers if node.layer.type == "BatchNormalization"}
    still = frozen | (frozenset() if spec.train_norms else norms - fresh)
    last = Plan(
        batch_size=min(spec.batch_size, used),
        optimizer=optimizer_name(spec.optimizer),
        augmented=spec.augmentation is not None and not spec.augmentation.is_off,
        **_saving(spec),
        frozen=still,
    )
    names = frozenset(node.name for node in network.layers)
    head = replace(last, frozen=names - fresh)
    plans = [plan for plan, epochs in ((head, spec.head_epochs), (last, spec.epochs)) if epochs]
    held = held_bytes(spec, network, dataset, images=used)
    return Cost(network, plans[-1], used, held, before=tuple(plans[:-1]))


def cost_of_segmenting(spec: SegmentSpec, network: Network, dataset: DatasetCard) -> Cost:
    """The cost of a segment spec; pictures of each split are held in the process's own memory, not in TensorFlow's.

    Args:
        spec: what was asked.
        network: for its crops.
        dataset: to train on.
    """
    crops = count_used(spec, dataset) * spec.crops_per_image
    plan = Plan(batch_size=min(spec.batch_size, crops), optimizer=optimizer_name(spec.optimizer), augmented=True)
    return Cost(network, plan, crops, data_bytes=0, held_bytes=3 * HELD_BYTES, saves_memory=False)  # one for each split


def count_used(spec: TrainSpec | FinetuneSpec | SegmentSpec, dataset: DatasetCard) -> int:
    """Images to train on, once validation is set aside where the dataset has no split for it."""
    given = dataset.counts["train"]
    left = given if dataset.counts.get("val") else round(given * (1 - spec.validation_fraction))
    return max(1, min(left, spec.train_examples or left))


def held_bytes(spec: TrainSpec | FinetuneSpec, network: Network, dataset: DatasetCard, *, images: int) -> int:
    """Bytes of so many training images in memory; none where there are too many and they stay mapped."""
    shape = network.input_shape
    sizing = evaluation_sizing(shape) if dataset.image_shape else training_sizing(shape, spec.augmentation)
    size = images * sizing.picture_bytes
    return size if size <= HELD_BYTES else 0


def optimizer_name(optimizer: Optimizer) -> OptimizerName:
    """The optimizer as far as memory goes."""
    if isinstance(optimizer, SGD):
        return "momentum" if optimizer.momentum else "sgd"
    return optimizer.name


def _saving(spec: SavingMemory) -> dict[str, Any]:
    """How the spec saves memory, as fields of a plan."""
    return {"micro": spec.micro_batch, "precision": spec.precision, "recompute": spec.recompute}


def _smaller(spec: TrainSpec, network: Network) -> Smaller | None:
    name = SMALLER.get(spec.network.name)
    if name is None:
        return None
    try:
        made = make_network(name, network.input_shape, network.classes, {})
    except NetworkError:
        return None
    return Smaller(made, {"network": {"name": name}})
