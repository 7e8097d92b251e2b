"""Coarse to fine: on which sizes a picture is worked out, and for how many steps on each. Pure arithmetic.

A small picture costs little a step and its strokes are large; enlarged, it is a good beginning for the next size, which
then needs few steps (Gatys, Ecker, Bethge, Hertzmann, Shechtman: Controlling perceptual factors in neural style
transfer, CVPR 2017, section 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SMALLEST_PX = 96
"""The longer side of the coarsest size is not below this."""


@dataclass(frozen=True)
class Level:
    """One size of the picture."""

    height: int
    width: int
    steps: int


def fit(height: int, width: int, longest: int) -> tuple[int, int]:
    """Height and width with a longer side of `longest`, of the same shape as nearly as whole pixels can be."""
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def plan_levels(height: int, width: int, *, steps: int, levels: int) -> Sequence[Level]:
    """At most so many sizes, each twice the one before, the last being `height` by `width`.

    Steps are dealt so that each coarser size has about twice as many as the next finer one, and each has one;
    together they are `steps`. As a
    step costs a quarter on half the size, the coarse ones take little of the time.
    """
    longest, levels = max(height, width), min(levels, steps)
    sizes = [longest // 2**level for level in range(levels) if level == 0 or longest // 2**level >= SMALLEST_PX]
    shares = [2.0**level for level in range(len(sizes))]
    counts = [1 + int((steps - len(sizes)) * share / sum(shares)) for share in shares]
    counts[-1] += steps - sum(counts)
    made = [
        Level(*((height, width) if size == longest else fit(height, width, size)), steps=count)
        for size, count in zip(sizes, counts, strict=True)
    ]
    return tuple(reversed(made))
