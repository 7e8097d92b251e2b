"""Setting a part of the training images aside for validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def split_validation(labels: ArrayLike, fraction: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices to train on and indices to validate with, stratified by class.

    Each class gives its share of the whole, rounded by largest remainder, so that the validation part has exactly
    `round(fraction · n)` images, and at least one. The same arguments give the same split.

    Args:
        labels: `[n]`, the class of each image.
        fraction: the share to validate with, above 0 and below 1.
        seed: which images of a class are taken follows from it.

    Returns:
        (train, validation), both int64 and ascending; together they are each index once.

    Raises:
        ValueError: the fraction is out of range, or there are fewer than two images.
    """
    labels = np.asarray(labels)
    if not 0 < fraction < 1:
        raise ValueError(f"Expected a fraction above 0 and below 1, got {fraction}.")
    if len(labels) < 2:
        raise ValueError(f"Expected at least 2 images to split, got {len(labels)}.")
    generator = np.random.Generator(np.random.PCG64(seed))
    total = min(max(round(fraction * len(labels)), 1), len(labels) - 1)
    classes, counts = np.unique(labels, return_counts=True)
    taken = [
        generator.permutation(np.flatnonzero(labels == cls))[:share]
        for cls, share in zip(classes, share_out(counts, total), strict=True)
    ]
    validation = np.sort(np.concatenate(taken)).astype(np.int64)
    return np.setdiff1d(np.arange(len(labels), dtype=np.int64), validation), validation


def share_out(counts: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """How many each class gives, by largest remainder; of equal remainders the earlier class goes first."""
    exact = counts * total / counts.sum()
    shares: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    order = np.argsort(shares - exact, kind="stable")
    shares[order[: total - shares.sum()]] += 1
    return shares
