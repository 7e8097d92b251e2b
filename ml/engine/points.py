"""Which steps get a point in the curves of training, and its value. Follows from the numbers of steps alone, so that a
resumed attempt makes the same points again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PER_EPOCH = 20
IN_ALL = 1000


def steps_per_point(steps_per_epoch: int, epochs: int) -> int:
    """Steps whose mean makes one point: some 20 points an epoch, and some 1,000 in all at most."""
    return max(1, -(-steps_per_epoch // PER_EPOCH), steps_per_epoch * epochs // IN_ALL)


def due_windows(before: int, after: int, *, width: int, last: int) -> list[tuple[int, int]]:
    """The windows (first step, end) of an epoch that became full between two positions.

    Windows begin at the epoch's first step and are `width` steps wide; the last one ends with the epoch.
    """
    ends = [end for end in range(before + 1, after + 1) if end % width == 0 or end == last]
    return [((end - 1) // width * width, end) for end in ends]


def batch_counts(images: int, batch_size: int) -> NDArray[np.int64]:
    """How many images each batch of an epoch holds: all the same but the last."""
    counts = np.full(-(-images // batch_size), batch_size, np.int64)
    counts[-1] = images - batch_size * (len(counts) - 1)
    return counts
