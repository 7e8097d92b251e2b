"""The history of a run as a table: one row an epoch, one column a metric."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_history_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows as CSV, `epoch` first, then the metrics in the order in which they first appear.

    What a row does not have stays empty. Numbers are written so that reading them gives the same float.
    """
    names = list(dict.fromkeys(["epoch", *(name for row in rows for name in row)]))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
