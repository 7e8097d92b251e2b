"""What the specs of trainings share that decides how much memory a step takes, without changing what is learnt."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from records.specs.base import BaseSpec

Precision = Literal["float32", "mixed"]


class SavingMemory(BaseSpec):
    """Fields of a training that cost time and save memory; the batch that the optimizer sees stays the same."""

    micro_batch: Annotated[int, Field(ge=1, le=65_536)] | None = None
    """Images that go through the network at a time; the gradients of a batch's parts are added up. The whole batch
    when left out. Batch normalisation sees the part."""
    precision: Precision = "float32"
    """`mixed` computes with 16-bit numbers (float16 on a GPU, bfloat16 on a CPU) and keeps 32-bit weights."""
    recompute: bool = False
    """Keep few of the layers' outputs, and compute the others again in the backward pass."""
    on_oom: Literal["adapt", "fail"] = "adapt"
    """When a device's memory does not do: go on from the last checkpoint with smaller micro-batches, then in mixed
    precision, then computing again; or fail at once."""


def check_micro_batch(micro_batch: int | None, batch_size: int) -> None:
    """Raises ValueError where a part would be larger than the whole."""
    if micro_batch is not None and micro_batch > batch_size:
        raise ValueError(f"Expected micro_batch to be at most batch_size, which is {batch_size}, got {micro_batch}")
