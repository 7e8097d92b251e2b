"""What a model said of each image, as a table that grows while it predicts."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray


class PredictionsCsv:
    """A CSV file in UTF-8; use it as a context.

    A row an image: its split, its number in it from 0, what it was called where it was uploaded, its true class, the
    class said and how likely that is, and then the probability of each class, in a column `p(CLASS)`.

    Args:
        path: the file.
        classes: what the model knows, in the order of its outputs.
    """

    def __init__(self, path: Path, classes: Sequence[str]) -> None:
        self.path = path
        self._classes = classes
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        columns = ("split", "index", "name", "label", "predicted", "probability")
        self._rows.writerow([*columns, *(f"p({name})" for name in classes)])

    def __enter__(self) -> PredictionsCsv:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(
        self,
        split: str,
        first: int,
        labels: Sequence[str],
        probabilities: NDArray[np.float32],
        *,
        names: Sequence[str] = (),
    ) -> None:
        """Add the images of a batch.

        Args:
            split: where they belong.
            first: the number of the first of them.
            labels: `[n]`, their true classes.
            probabilities: `[n, classes]`.
            names: `[n]`, what they were called; none for images without names.
        """
        called = names or [""] * len(labels)
        for index, (name, label, row) in enumerate(zip(called, labels, probabilities, strict=True), first):
            best = int(row.argmax())
            shown = [f"{value:.6g}" for value in row.tolist()]
            self._rows.writerow([split, index, name, label, self._classes[best], shown[best], *shown])
