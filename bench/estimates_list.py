"""The list of measured and estimated peaks: `bench/estimates.json`, and the tables in `docs/estimates.md`.

`python -m bench.estimates_list` writes the table anew, with the instant estimate of today's code beside what was
measured, so that the page, the list and the code cannot disagree.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from ml.estimates import Plan, Smaller, Training
from ml.estimates.remedies import list_remedies
from ml.networks import make_network

KEPT = Path(__file__).with_name("estimates.json")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "estimates.md"
_REMEDIES = re.compile(r"(<!-- remedies -->\n).*?(<!-- end -->)", re.DOTALL)
_TABLE = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)


class Row(BaseModel):
    """One configuration, all sizes in bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: str
    side: int
    channels: int
    batch_size: int
    optimizer: str
    options: dict[str, Any]
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    traced_bytes: int
    traced_s: float
    measured_bytes: int

    @property
    def error(self) -> float:
        """Of the instant estimate: share by which it is too high."""
        return self.likely_bytes / self.measured_bytes - 1

    @property
    def traced_error(self) -> float:
        """Of the refined estimate."""
        return self.traced_bytes / self.measured_bytes - 1

    @property
    def in_range(self) -> bool:
        """Whether the measured peak lies in the instant estimate's range."""
        return self.low_bytes <= self.measured_bytes <= self.high_bytes

    def as_line(self) -> str:
        """For a terminal."""
        size = f"{self.network} {self.side} px, batch {self.batch_size}, {self.optimizer}"
        errors = f"instant {self.error:+.1%}, refined {self.traced_error:+.1%}"
        return f"{size}: {self.measured_bytes / 1e6:.1f} MB, {errors}"


def read_rows() -> list[Row]:
    """The kept list."""
    return TypeAdapter(list[Row]).validate_json(KEPT.read_bytes())


def write_rows(rows: list[Row]) -> None:
    """Keep a list, and bring the page in step."""
    KEPT.write_bytes(TypeAdapter(list[Row]).dump_json(rows, indent=1) + b"\n")
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")


def page_with_table(page: str, rows: list[Row]) -> str:
    """The page with this list between its markers."""
    page = _TABLE.sub(lambda marked: f"{marked[1]}\n{_table(rows)}\n\n{marked[2]}", page)
    return _REMEDIES.sub(lambda marked: f"{marked[1]}\n{_remedies()}\n\n{marked[2]}", page)


def _remedies() -> str:
    """What each remedy saves on ResNet-50 for 224-pixel images in batches of 64 with Adam, on a GPU of 8 GB."""
    network, plan = make_network("resnet50", (224, 224, 3), 1000, {}), Plan(64)
    training = Training(network, plan)
    peak = training.peak(64, kind="gpu")
    smaller = Smaller(make_network("resnet34", (224, 224, 3), 1000, {}), {"network.name": "resnet34"})
    found = list_remedies(network, training, plan, peak, kind="gpu", smaller=smaller)
    lines = [
        f"ResNet-50, 224 × 224 × 3, 1,000 classes, a batch of 64, Adam: likely peak {peak.likely / 1e9:.1f} GB.",
        "",
        "| change | saves | peak with it | in the yard |",
        "|---|---:|---:|---|",
    ]
    for remedy in found:
        change = ", ".join(f"`{name}={value}`" for name, value in (remedy.change or {}).items()) or "not yet"
        saves, left = f"{remedy.saves_bytes / 1e9:.1f} GB", f"{remedy.peak_bytes / 1e9:.1f} GB"
        lines.append(f"| {remedy.title} | {saves} | {left} | {change} |")
    return "\n".join(lines)


def _table(rows: list[Row]) -> str:
    errors, traced = [abs(row.error) for row in rows], [abs(row.traced_error) for row in rows]
    outside = sum(not row.in_range for row in rows)
    lines = [
        f"Over {len(rows)} trainings the instant estimate is off by {sum(errors) / len(rows):.1%} on average and "
        f"{max(errors):.1%} at worst; {outside} of the measured peaks lie outside its range. The refined one is off by "
        f"{sum(traced) / len(rows):.1%} on average and {max(traced):.1%} at worst.",
        "",
        "| network | image | batch | optimizer | measured | instant | range | error | refined | error |",
        "|---|---|---:|---|---:|---:|---|---:|---:|---:|",
    ]
    return "\n".join(lines + [_line(row) for row in rows])


def _line(row: Row) -> str:
    options = "".join(f" {name}={value}" for name, value in row.options.items())
    measured, likely, low, high, traced = (
        f"{size / 1e6:,.1f}"
        for size in (row.measured_bytes, row.likely_bytes, row.low_bytes, row.high_bytes, row.traced_bytes)
    )
    mark = "" if row.in_range else " (outside)"
    image = f"{row.side}×{row.side}×{row.channels}"
    return (
        f"| {row.network}{options} | {image} | {row.batch_size} | {row.optimizer} | {measured} | {likely} | "
        f"{low}–{high}{mark} | {row.error:+.1%} | {traced} | {row.traced_error:+.1%} |"
    )


def main() -> None:
    """Estimate again what is kept, and write list and page."""
    from bench.cases.estimate import again

    write_rows(again())


if __name__ == "__main__":
    main()
