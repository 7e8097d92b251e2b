"""The spec of `kind: predict`: a trained model tells the classes of a whole dataset."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from records.specs.base import BaseSpec
from records.specs.earlier import EarlierRun


class PredictSpec(BaseSpec):
    """Tell the classes of a dataset's images with the model of an earlier job, into a CSV file."""

    kind: Literal["predict"] = "predict"
    run: EarlierRun
    """The job that trained the model."""
    dataset: Annotated[str, Field(min_length=1, max_length=100)]
    """A dataset of the yard; `GET /datasets` lists them."""
    split: Literal["train", "val", "test", "all"] = "test"
    """Which of its images; those of `train` are all that the dataset delivers as such."""
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 256
