"""How often each of several models was right, as a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COLUMNS = ("who", "split", "views", "images", "right", "wrong", "accuracy", "accuracy_low", "accuracy_high")


def write_accuracies_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one row a model, or vote, and number of changed views that were shown besides each image.

    Args:
        path: where to write.
        rows: with all of `COLUMNS`.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
