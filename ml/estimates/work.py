"""How long operations keep a processor thread busy, one against the other.

Only the order in which operations are taken up hangs on it (`ml.estimates.executor`): were all of them twice as fast,
nothing would change.
"""

from __future__ import annotations

FLOPS_A_S = 25e9
"""Multiplications and additions of one thread in a convolution or a product of matrices."""
BYTES_A_S = 5e9
"""Read and written by one thread in anything."""
LEAST_S = 4e-6
"""Of the smallest operation."""
DEPTHWISE_COST = 4
"""Times as long for as many multiplications: with each map by itself, vector units idle."""


def seconds(*, flops: int, moved_bytes: int) -> float:
    """How long an operation takes that computes and reads and writes so much."""
    return LEAST_S + flops / FLOPS_A_S + moved_bytes / BYTES_A_S
