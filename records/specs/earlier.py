"""How a spec names an earlier run that it builds on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from records.specs.base import Strict


class EarlierRun(Strict):
    """A job of the yard that trained a network, and which of its weights."""

    job: Annotated[int, Field(ge=1, lt=2**63)]
    """The job's number."""
    weights: Literal["best", "last"] = "best"
    """`best`: of the epoch that did best in validation; `last`: as training ended."""

    @property
    def artifact(self) -> str:
        """The file that holds them."""
        return f"{self.weights}.weights.h5"
