"""How much the images of each class count in the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray


def class_weights(
    spec_value: Literal["balanced"] | Sequence[float] | None, labels: ArrayLike, classes: Sequence[str] | int
) -> NDArray[np.float32] | None:
    """One weight a class, float32 `[classes]`; None where all images count the same.

    `balanced` gives class c the weight n / (k · n_c), with n images, k classes that occur and n_c images of c; the mean
    weight of an image is then 1. A class without images gets 0.

    Args:
        spec_value: as in the spec: `balanced`, the weights themselves, or None.
        labels: `[n]`, the labels to train on.
        classes: the names of all classes, or how many there are.

    Raises:
        ValueError: there is not one weight a class.
    """
    number = classes if isinstance(classes, int) else len(classes)
    return weights_of_counts(spec_value, np.bincount(np.asarray(labels), minlength=number))


def weights_of_counts(
    spec_value: Literal["balanced"] | Sequence[float] | None, counts: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """The same of counts `[classes]`, of images or of pixels."""
    if spec_value is None:
        return None
    if spec_value != "balanced":
        return _given(spec_value, len(counts))
    present = counts > 0
    weights = np.zeros(len(counts), np.float32)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return weights


def _given(weights: Sequence[float] | str, number: int) -> NDArray[np.float32]:
    if isinstance(weights, str) or len(weights) != number:
        raise ValueError(f"Expected 'balanced' or {number} weights, one a class, got {weights!r}.")
    return np.asarray(weights, np.float32)
