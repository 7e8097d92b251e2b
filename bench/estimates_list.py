"""The lists of measured and estimated peaks: `bench/estimates.json`, and the tables in `docs/estimates.md`.

`python -m bench.estimates_list` writes the tables anew, with the instant estimate of today's code beside what was
measured, so that the page, the lists and the code cannot disagree; with `--trace` the refined one too, and with
`--missing` it measures what is not in the lists yet, one training after the other, and may be stopped in between.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from bench.trainings import FITTED, HELD_OUT, Configuration
from ml.estimates import Plan, Smaller, Training
from ml.estimates.remedies import list_remedies
from ml.networks import make_network

KEPT = Path(__file__).with_name("estimates.json")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "estimates.md"
_MARKED = re.compile(r"(<!-- (?P<what>measured fitted|measured held_out|remedies) -->\n).*?(<!-- end -->)", re.DOTALL)
List = Literal["fitted", "held_out"]
LISTS: dict[List, tuple[Configuration, ...]] = {"fitted": FITTED, "held_out": HELD_OUT}


class Row(BaseModel):
    """One training, all sizes in bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    belongs_to: List
    network: str
    side: int
    channels: int
    batch_size: int
    optimizer: str
    options: dict[str, Any]
    measured_bytes: int
    """The peak of TensorFlow's allocator."""
    resident_bytes: int
    """The most main memory that the process held, from zero."""
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    needed_bytes: int
    """What the yard says that a device must have."""
    traced_low_bytes: int = 0
    traced_bytes: int = 0
    """0 where nobody has traced it yet."""
    traced_high_bytes: int = 0
    traced_s: float = 0.0

    @property
    def configuration(self) -> Configuration:
        """What was trained."""
        return Configuration(self.network, self.side, self.channels, self.batch_size, self.optimizer, self.options)

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

    @property
    def in_traced_range(self) -> bool:
        """Whether it lies in the refined one's."""
        return self.traced_low_bytes <= self.measured_bytes <= self.traced_high_bytes

    @property
    def held(self) -> bool:
        """Whether the process took no more than a device was said to need."""
        return self.resident_bytes <= self.needed_bytes

    def as_line(self) -> str:
        """For a terminal."""
        size = f"{self.network} {self.side} px, batch {self.batch_size}, {self.optimizer}"
        errors = f"instant {self.error:+.1%}, " + (f"refined {self.traced_error:+.1%}" if self.traced_bytes else "")
        held = f"resident {self.resident_bytes / 1e6:,.0f} of {self.needed_bytes / 1e6:,.0f} MB"
        return f"{size}: {self.measured_bytes / 1e6:.1f} MB, {errors}, {held}"


def read_rows() -> list[Row]:
    """The kept lists."""
    return TypeAdapter(list[Row]).validate_json(KEPT.read_bytes())


def write_rows(rows: list[Row]) -> None:
    """Keep the lists, and bring the page in step."""
    KEPT.write_bytes(TypeAdapter(list[Row]).dump_json(rows, indent=1) + b"\n")
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")


def page_with_tables(page: str, rows: list[Row]) -> str:
    """The page with these rows between its markers."""

    def fill(marked: re.Match[str]) -> str:
        what = marked["what"]
        shown = _remedies() if what == "remedies" else _table(rows, "fitted" if what.endswith("fitted") else "held_out")
        return f"{marked[1]}\n{shown}\n\n{marked[3]}"

    return _MARKED.sub(fill, page)


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


def _table(rows: list[Row], which: List) -> str:
    rows = [row for row in rows if row.belongs_to == which]
    if not rows:
        return "Not measured yet: `python -m bench.estimates_list --missing`."
    errors, refined = [abs(row.error) for row in rows], [row for row in rows if row.traced_bytes]
    outside = sum(not row.in_range for row in rows)
    left = len(LISTS[which]) - len(rows)
    lines = [
        (f"{left} more are not measured yet. " if left else "")
        + f"Over {len(rows)} trainings the instant estimate is off by {sum(errors) / len(rows):.1%} on average and "
        f"{max(errors):.1%} at worst; {outside} of the measured peaks lie outside its range. {_refined(refined)}"
        f"{sum(not row.held for row in rows)} of the processes took more main memory than their device was said to "
        "need.",
        "",
        "| network | image | batch | optimizer | measured | instant | range | error | refined | range | error "
        "| process | said to need |",
        "|---|---|---:|---|---:|---:|---|---:|---:|---|---:|---:|---:|",
    ]
    return "\n".join(lines + [_line(row) for row in rows])


def _refined(rows: list[Row]) -> str:
    """What is said of the rows that were traced."""
    if not rows:
        return ""
    errors, outside = [abs(row.traced_error) for row in rows], sum(not row.in_traced_range for row in rows)
    return (
        f"The refined one, for {len(rows)} of them, is off by {sum(errors) / len(rows):.1%} on average and "
        f"{max(errors):.1%} at worst; {outside} lie outside. "
    )


def _line(row: Row) -> str:
    options = "".join(f" {name}={value}" for name, value in row.options.items())
    image = f"{row.side}×{row.side}×{row.channels}"
    marks = ["" if inside else " (outside)" for inside in (row.in_range, row.in_traced_range)]
    traced = f"| {_mb(row.traced_bytes)} | {_mb(row.traced_low_bytes)}–{_mb(row.traced_high_bytes)}{marks[1]} "
    traced += f"| {row.traced_error:+.1%} "
    return (
        f"| {row.network}{options} | {image} | {row.batch_size} | {row.optimizer} | {_mb(row.measured_bytes)} "
        f"| {_mb(row.likely_bytes)} | {_mb(row.low_bytes)}–{_mb(row.high_bytes)}{marks[0]} | {row.error:+.1%} "
        f"{traced if row.traced_bytes else '| – | – | – '}| {_mb(row.resident_bytes)} | {_mb(row.needed_bytes)} |"
    )


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f}" if size < 100e6 else f"{size / 1e6:,.0f}"


def main() -> None:
    """Estimate again what is kept, and write lists and page."""
    from bench.cases.estimate import again, measure_missing

    wanted = set(sys.argv[1:])
    if wanted - {"--trace", "--missing"}:
        sys.exit(f"Expected --trace or --missing, got {' '.join(sys.argv[1:])}.")
    rows = again(trace="--trace" in wanted)
    write_rows(rows)
    print("\n".join(row.as_line() for row in rows))
    if "--missing" in wanted:
        measure_missing(rows)


if __name__ == "__main__":
    main()
