"""The spec of `kind: evaluate`: how good a trained model is, or several that vote."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from records.specs.augmentation import Augmentation
from records.specs.base import BaseSpec, Strict
from records.specs.earlier import EarlierRun

MOST_RUNS = 64


class Views(Strict):
    """Show each image several times, changed at random; the probabilities of all are averaged."""

    count: Annotated[int, Field(ge=1, le=256)] = 8
    """Changed views of each image, besides the image itself."""
    augmentation: Augmentation = Augmentation(shift=0.05, rotate_degrees=5.0, zoom=0.05)
    """How they are changed. Without `crop`, `mixup` and `cutmix`."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """The changes follow from it."""

    @field_validator("augmentation")
    @classmethod
    def _of_one_whole_image(cls, augmentation: Augmentation) -> Augmentation:
        if augmentation.crop is not None or augmentation.mixes:
            raise ValueError("Expected changes of one whole image: leave crop, mixup and cutmix out")
        if augmentation.is_off:
            raise ValueError("Expected at least one change, such as a shift of 0.05; without any, all views are equal")
        return augmentation


class EvaluateSpec(BaseSpec):
    """Count how often the model of an earlier job is right, or those of several that vote together."""

    kind: Literal["evaluate"] = "evaluate"
    runs: Annotated[tuple[EarlierRun, ...], Field(max_length=MOST_RUNS, json_schema_extra={"minItems": 1})]
    """The jobs that trained the models: `[{"job": 12}, {"job": 13, "weights": "last"}]`. With several, each image's
    class is the one whose probability is largest in the mean over the models."""
    split: Literal["train", "val", "test"] = "test"
    """Which images. `val` is the dataset's own split, or what all runs set aside alike; those of `train` are all that
    the dataset delivers as such."""
    vote_weights: Annotated[tuple[Annotated[float, Field(ge=0.0, le=1e6)], ...], Field(max_length=MOST_RUNS)] | None = (
        None
    )
    """How much each run counts, in their order; all the same when left out."""
    dataset: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """A dataset of the yard; that of the first run when left out."""
    test_time_augmentation: Views | None = None
    """Show each image several times; the accuracy without is told beside it."""
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 256

    @field_validator("runs")
    @classmethod
    def _each_once(cls, runs: tuple[EarlierRun, ...]) -> tuple[EarlierRun, ...]:
        if not runs:  # not `min_length`, which also counts runs that are wrong
            raise ValueError("Expected at least one run, got none")
        if len(set(runs)) < len(runs):
            raise ValueError("Expected each run once; vote_weights says which count more")
        return runs

    @field_validator("vote_weights")
    @classmethod
    def _some_count(cls, weights: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if weights is not None and not any(weights):
            raise ValueError("Expected at least one weight above zero")
        return weights

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each run in the vote; together 1."""
        weights = self.vote_weights or (1.0,) * len(self.runs)
        return tuple(weight / sum(weights) for weight in weights)
