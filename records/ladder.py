"""What to change when a training ran out of memory: one rung at a time, and never the experiment. Pure.

The rungs: smaller micro-batches, halved each time; mixed precision; computing again in the backward pass; and last,
micro-batches so small that batch normalisation learns little from them. The batch that the optimizer sees, and so the
number of its steps, is the same on every rung.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from records.thrift import Thrift

LEAST_GOOD = 8
"""Images in a micro-batch below which mean and variance say little: tried only when nothing else has done."""


@dataclass(frozen=True)
class Answer:
    """What follows when memory did not do."""

    rung: Thrift | None
    """How the next attempt saves memory; None when nothing is left, or the spec wants none of it."""
    text: str
    """What changes, or what was tried, for people."""


def answer(spec: Mapping[str, Any], tried: Sequence[Thrift]) -> Answer | None:
    """The answer to a shortage; None for a kind of job that cannot save memory, or is not to.

    Args:
        spec: of the job, as plain data.
        tried: how the attempts that ran out of memory saved it, in their order, the one that just ended last.
    """
    if spec.get("on_oom") != "adapt":
        return None
    batch_size = int(spec["batch_size"])
    rung = next_rung(tried[-1], batch_size)
    if rung is None:
        said = "; ".join(dict.fromkeys(thrift.words(batch_size) for thrift in tried))
        return Answer(None, f"Nothing is left to try that keeps the experiment the same. Tried: {said}.")
    return Answer(rung, f"Out of memory with {tried[-1].words(batch_size)}. {_change(tried[-1], rung, batch_size)}")


def next_rung(thrift: Thrift, batch_size: int) -> Thrift | None:
    """The next way to save memory; None when this is the last."""
    images = min(thrift.micro_batch or batch_size, batch_size)
    halved = thrift.model_copy(update={"micro_batch": -(-images // 2)})
    if images > LEAST_GOOD:
        return halved
    if thrift.precision == "float32":
        return thrift.model_copy(update={"precision": "mixed"})
    if not thrift.recompute:
        return thrift.model_copy(update={"recompute": True})
    return halved if images > 1 else None


def _change(before: Thrift, rung: Thrift, batch_size: int) -> str:
    if rung.micro_batch != before.micro_batch:
        parts = -(-batch_size // (rung.micro_batch or batch_size))
        return (
            f"The next attempt adds up gradients over {parts} micro-batches of {rung.micro_batch}; the batch stays "
            f"{batch_size}. Batch normalisation, where the network has it, sees the micro-batch."
        )
    if rung.precision != before.precision:
        return "The next attempt computes in mixed precision: 16-bit activations, 32-bit weights."
    return "The next attempt computes activations again in the backward pass instead of keeping them."
