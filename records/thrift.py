"""Thrift: how a training step takes less memory, as the spec asks for it or as the yard found out that it must."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from records.specs.memory import Precision


class Thrift(BaseModel):
    """The options of `records.specs.memory.SavingMemory` that a step follows. The batch is not among them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    micro_batch: int | None = None
    """Images at a time; None for the whole batch."""
    precision: Precision = "float32"
    recompute: bool = False

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Thrift:
        """What a spec, as plain data, asks for. One from before these options existed asks for none of them."""
        return cls(**{name: spec[name] for name in cls.model_fields if name in spec})

    def words(self, batch_size: int) -> str:
        """For people: `micro-batches of 32 (4 to a batch of 128), mixed precision, recomputing`."""
        said = []
        if self.micro_batch is not None and self.micro_batch < batch_size:
            parts = -(-batch_size // self.micro_batch)
            said.append(f"micro-batches of {self.micro_batch} ({parts} to a batch of {batch_size})")
        if self.precision == "mixed":
            said.append("mixed precision")
        if self.recompute:
            said.append("activations computed again in the backward pass")
        return ", ".join(said) or f"whole batches of {batch_size}"
