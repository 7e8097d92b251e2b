"""The spec of `kind: train`: a network learns a dataset from scratch."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from records.specs.augmentation import Augmentation
from records.specs.base import Strict
from records.specs.images import ImageSize
from records.specs.memory import SavingMemory, check_micro_batch
from records.specs.network import NetworkSpec

Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]
Rate = Annotated[float, Field(gt=0.0, le=10.0)]


# ── optimizers ───────────────────────────────────────────────────────────────────────────────────────────────


class SGD(Strict):
    """Stochastic gradient descent with momentum (Polyak 1964; Nesterov 1983)."""

    name: Literal["sgd"] = "sgd"
    momentum: Fraction = 0.9
    nesterov: bool = False


class Adam(Strict):
    """Adam (Kingma and Ba 2015)."""

    name: Literal["adam"] = "adam"
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Annotated[float, Field(gt=0.0, le=1.0)] = 1e-7


class AdamW(Strict):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    name: Literal["adamw"] = "adamw"
    weight_decay: Annotated[float, Field(ge=0.0, le=1.0)] = 0.004
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Annotated[float, Field(gt=0.0, le=1.0)] = 1e-7


Optimizer = Annotated[SGD | Adam | AdamW, Field(discriminator="name")]


# ── learning-rate schedules: each is a factor on `learning_rate`, by step ────────────────────────────────────


class Constant(Strict):
    """The same rate throughout."""

    name: Literal["constant"] = "constant"


class Cosine(Strict):
    """Linear warm-up, then half a cosine down to `final_fraction` (Loshchilov and Hutter 2017, without restarts)."""

    name: Literal["cosine"] = "cosine"
    warmup_fraction: Annotated[float, Field(ge=0.0, le=0.9)] = 0.05
    """Share of all steps that the warm-up takes."""
    final_fraction: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0


class Exponential(Strict):
    """Multiplied by `decay` every epoch, smoothly from step to step."""

    name: Literal["exponential"] = "exponential"
    decay: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9


class OneCycle(Strict):
    """Up to the peak and down again in one cycle, cosine-shaped (Smith and Topin 2019)."""

    name: Literal["one_cycle"] = "one_cycle"
    peak_fraction: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.3
    """Share of all steps until the peak, where the rate is `learning_rate`."""
    start_fraction: Annotated[float, Field(gt=0.0, le=1.0)] = 0.04
    """The first rate as a share of the peak."""
    final_fraction: Annotated[float, Field(ge=0.0, le=1.0)] = 1e-4


class Plateau(Strict):
    """Multiplied by `factor` when the watched metric has not improved for `patience` epochs."""

    name: Literal["plateau"] = "plateau"
    metric: Literal["val/loss", "val/accuracy"] = "val/loss"
    factor: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    patience: Annotated[int, Field(ge=1, le=1000)] = 2
    min_delta: Annotated[float, Field(ge=0.0, le=100.0)] = 1e-4
    minimum_fraction: Annotated[float, Field(ge=0.0, le=1.0)] = 1e-3


Schedule = Annotated[Constant | Cosine | Exponential | OneCycle | Plateau, Field(discriminator="name")]


# ── averages of the weights ──────────────────────────────────────────────────────────────────────────────────


class EMA(Strict):
    """A moving average of the weights, over all steps (Polyak and Juditsky 1992; as in Szegedy et al. 2016)."""

    name: Literal["ema"] = "ema"
    decay: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.999
    """Share of the average that stays at each step; less at the first ones, so that the beginning is forgotten."""


class SWA(Strict):
    """The mean of the weights at the ends of the last epochs (Izmailov et al. 2018)."""

    name: Literal["swa"] = "swa"
    start_fraction: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.75
    """Share of the epochs before the first one that counts. Choose a schedule whose rate stays up until the end, such
    as `cosine` with a `final_fraction`."""


Averaging = Annotated[EMA | SWA, Field(discriminator="name")]


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────


class EarlyStopping(Strict):
    """End training when the watched metric has not improved for `patience` epochs."""

    metric: Literal["val/loss", "val/accuracy"] = "val/loss"
    patience: Annotated[int, Field(ge=1, le=1000)] = 5
    min_delta: Annotated[float, Field(ge=0.0, le=100.0)] = 0.0


def some_class_counts(value: object) -> object:
    """The class weights of a spec, as they are. Raises ValueError where all are zero."""
    if isinstance(value, tuple) and not any(weight > 0 for weight in value):
        raise ValueError("at least one class needs a weight above zero")
    return value


class TrainSpec(SavingMemory):
    """Train a network on a dataset from random weights."""

    kind: Literal["train"] = "train"
    dataset: Annotated[str, Field(min_length=1, max_length=200)]
    """A dataset of the yard, or one's own: `mnist`, `ants-bees`, `ants-bees@1`; `GET /datasets` lists them."""
    network: NetworkSpec
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 4
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 128
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Everything random follows from it: weights, order of the images, dropout, augmentation."""
    optimizer: Optimizer = Adam()
    learning_rate: Rate = 1e-3
    """The peak of the schedule."""
    schedule: Schedule = Cosine()
    image_size: ImageSize | None = None
    """Pixels a side that photographs are brought to, or height and width; a dataset of one size has its own."""
    augmentation: Augmentation | None = None
    label_smoothing: Fraction = 0.0
    """Share of each label that is spread evenly over all classes (Szegedy et al. 2016); in training only."""
    averaging: Averaging | None = None
    """Validate, test and keep an average of the weights instead of those of the last step."""
    early_stopping: EarlyStopping | None = None
    class_weights: Literal["balanced"] | tuple[Annotated[float, Field(ge=0.0, le=1e6)], ...] | None = None
    """`balanced` weighs each class by the inverse of its count; a list gives one weight a class, in class order."""
    validation_fraction: Annotated[float, Field(gt=0.0, le=0.5)] = 0.1
    """Share of the training split kept for `val/` metrics, stratified by class; not where there is a `val` split."""
    split_seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """Which images are kept for that; `seed` when left out. Runs with the same one can be compared, and vote, by it."""
    train_examples: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Use only so many images of the training split (after validation is set aside); all when left out."""
    checkpoint_every_s: Annotated[float, Field(ge=0.0, le=86_400.0)] = 60.0
    """Least time between checkpoints within an epoch, in seconds. One is always written at the end of an epoch."""

    _some_class_counts = field_validator("class_weights")(some_class_counts)

    @model_validator(mode="after")
    def _an_average_has_epochs(self) -> TrainSpec:
        if isinstance(self.averaging, SWA):
            counting = self.epochs - ceil(self.averaging.start_fraction * self.epochs)
            if counting < 2:
                raise ValueError(
                    f"Expected at least 2 epochs that count for an average, got {counting} of {self.epochs}. Lower "
                    "averaging.start_fraction, or take more epochs"
                )
        return self

    @model_validator(mode="after")
    def _a_part_is_no_larger_than_the_whole(self) -> TrainSpec:
        check_micro_batch(self.micro_batch, self.batch_size)
        return self

    @property
    def validation_seed(self) -> int:
        """Which images are kept for validation follows from it."""
        return self.seed if self.split_seed is None else self.split_seed
