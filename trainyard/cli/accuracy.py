"""What `trainyard estimate --accuracy` prints: estimated peaks beside measured ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainyard.results import Accuracy, MeasuredPeak

EMPTY = "No training has measured its peak yet: the first one that ends will stand here."


def print_accuracy(found: Accuracy) -> None:
    """Print it for people: the list, the newest first, and what it says in a few numbers."""
    from trainyard.cli.output import console, print_pairs, print_table

    columns = ("JOB", "NETWORK", "DATASET", ">BATCH", "OPTIMIZER", ">ESTIMATED", ">RANGE", ">MEASURED", ">OFF BY")
    print_table(columns, [_row(item) for item in found.items], empty=EMPTY, stretch="NETWORK")
    if found.count:
        console().print()
        print_pairs(_sums(found))


def _sums(found: Accuracy) -> Iterator[tuple[str, Any]]:
    yield "off on average", f"{found.mean_error or 0:.1%}"
    yield "off at worst", f"{found.worst_error or 0:.1%}"
    yield "outside the range", f"{found.outside_range} of {found.count}"


def _row(item: MeasuredPeak) -> tuple[Any, ...]:
    from trainyard.cli import words

    low, likely, high, measured = map(
        words.bytes_, (item.low_bytes, item.likely_bytes, item.high_bytes, item.measured_bytes)
    )
    mark = "" if item.in_range else " outside"
    return (
        f"{item.job_id}" + (f".{item.attempt}" if item.attempt > 1 else ""),
        item.network,
        item.dataset,
        item.batch_size,
        item.optimizer,
        likely,
        f"{low} – {high}",
        measured,
        f"{item.error:+.1%}{mark}",
    )
