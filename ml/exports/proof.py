"""How far an exported file's probabilities are from those of the model that it was made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from records.errors import ExportDiffers


@dataclass(frozen=True)
class Proof:
    """What the same images showed."""

    largest_difference: float
    """Of one probability, over all images and classes; NaN where the file gave no number."""
    agreement: float
    """Share of the images whose likeliest class is the same."""
    images: int

    def check(self, name: str, tolerance: float) -> None:
        """Raise ExportDiffers unless every probability is within the tolerance."""
        if not self.largest_difference <= tolerance:  # NaN is not, either
            raise ExportDiffers(
                f"Expected {name} to give the model's probabilities to within {tolerance:g}, but on {self.images} "
                f"images they differ by up to {self.largest_difference:.3g}, and the likeliest class is the same for "
                f"{self.agreement:.1%}. If that is good enough, ask again with a larger tolerance."
            )


def prove(own: NDArray[np.float32], others: NDArray[np.float32]) -> Proof:
    """Compare probabilities `[n, classes]` of a model and of a file.

    Raises:
        ExportDiffers: their shapes differ.
    """
    if own.shape != others.shape:
        raise ExportDiffers(f"Expected probabilities of shape {own.shape} from the file, got {others.shape}.")
    differences = np.abs(own.astype(np.float64) - others.astype(np.float64))
    same = own.argmax(axis=-1) == others.argmax(axis=-1)
    return Proof(float(differences.max()), float(same.mean()), len(own))
