"""How sure a share is that was counted on so many."""

from __future__ import annotations

from math import sqrt

Z_95 = 1.959963984540054
"""A standard normal number lies between -z and z with probability 0.95."""


def wilson_interval(right: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a share, by default at 95 %: lowest and highest, 0 to 1.

    Wilson: Probable inference, the law of succession, and statistical inference. JASA 22 (1927). Without its correction
    for continuity. Unlike the textbook's p ± z·√(p(1-p)/n) it never leaves 0 to 1, nor is it empty where all are right.

    Args:
        right: how many were right.
        total: of how many, at least one.
        z: the quantile of the standard normal distribution.
    """
    share, weight = right / total, z * z / total
    middle = (share + weight / 2) / (1 + weight)
    half = z * sqrt(share * (1 - share) / total + weight / (4 * total)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)
