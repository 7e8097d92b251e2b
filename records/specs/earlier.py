"""How a spec names an earlier run that it builds on."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from records.specs.base import Strict

Weights: TypeAlias = Literal["best", "last"]

RECORD = "run.json"
"""The file that every training keeps with its spec."""


class EarlierRun(Strict):
    """A job of the yard that trained a network, and which of its weights."""

    job: Annotated[int, Field(ge=1, lt=2**31)]
    """The job's number."""
    weights: Weights = "best"
    """`best`: of the epoch that did best in validation; `last`: as training ended."""

    @property
    def artifact(self) -> str:
        """The file that holds them."""
        return weights_name(self.weights)


def weights_name(weights: Weights) -> str:
    """The file that holds these weights."""
    return f"{weights}.weights.h5"
