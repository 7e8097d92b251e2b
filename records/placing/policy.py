"""Who goes first, and how much of a device a job gets: the knobs of `place`, and policies to compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HALF_LIFE_S = 6 * 3600.0


@dataclass(frozen=True)
class Policy:
    """How devices are shared."""

    packs: bool = True
    """Whether jobs that fit side by side share a device; otherwise each has one to itself."""
    fair: bool = True
    """Whether, of jobs of the same priority, those go first whose owner has used least; otherwise first come."""
    half_life_s: float = HALF_LIFE_S
    """Time after which what somebody used counts half."""
    weights: Mapping[int, float] = field(default_factory=dict)
    """By person: the share that they are due beside others; 1 for who is not named."""
    most_running: int | None = None
    """Jobs of one person that may run at a time; None is no limit."""
    preempts: bool = False
    """Whether a job of higher priority may stop running ones of lower priority."""
    least_run_s: float = 600.0
    """A running job is not stopped for another before it has run this long."""

    def weight(self, owner_id: int) -> float:
        """The share of a person."""
        return self.weights.get(owner_id, 1.0)


SHARED = Policy()
"""The yard's own: packed by memory, fair by what people have used."""
FIRST_COME = Policy(packs=False, fair=False)
"""One job a device, first come first served."""
WHOLE_FAIR = Policy(packs=False)
"""One job a device, by what people have used."""
