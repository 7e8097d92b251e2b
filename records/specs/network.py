"""Naming a network and its options; which options a network has is known to `ml.networks`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from records.specs.base import Strict

OptionValue = bool | int | float | Annotated[str, Field(max_length=100)] | tuple[int, ...]


class NetworkSpec(Strict):
    """A named network: `{"name": "lenet5", "options": {"activation": "relu"}}`."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    options: Annotated[dict[Annotated[str, Field(max_length=100)], OptionValue], Field(max_length=50)] = Field(
        default_factory=dict
    )
    """Arguments of the network's function; left out, its defaults hold."""
