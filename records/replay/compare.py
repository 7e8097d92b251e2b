"""One queue under several policies, and what the yard's own would have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from records.placing import FIRST_COME, SHARED, WHOLE_FAIR, Device, Policy
from records.replay.measures import Figures, measure
from records.replay.simulate import play
from records.replay.trace import Entry

POLICIES: dict[str, Policy] = {"first-come": FIRST_COME, "whole-fair": WHOLE_FAIR, "shared": SHARED}
"""One job a device, first come first served; one job a device, by use; packed by memory, by use: the yard's own."""


@dataclass(frozen=True)
class Comparison:
    """What each policy makes of a queue."""

    figures: Mapping[str, Figures]
    jobs: int
    never: int
    """Jobs that fit no device, left out everywhere."""


def compare(
    entries: Sequence[Entry],
    devices: Sequence[Device],
    names: Sequence[str] = tuple(POLICIES),
    *,
    half_life_s: float | None = None,
    exact: bool = False,
) -> Comparison:
    """Play a queue under each of these policies.

    Args:
        entries: the jobs, in the order in which they came.
        devices: what there is.
        names: of policies.
        half_life_s: of what people have used; the policy's own when left out.
        exact: whether durations are known beforehand.
    """
    figures, never = {}, 0
    for name in names:
        policy = POLICIES[name]
        if half_life_s is not None:
            policy = replace(policy, half_life_s=half_life_s)
        played, left_out = play(entries, devices, policy, exact=exact)
        figures[name] = measure(played, devices)
        never = max(never, len(left_out))
    return Comparison(figures, len(entries), never)
