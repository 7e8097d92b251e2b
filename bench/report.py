"""`python -m bench.report`: write the tables of `docs/figures.md` from `bench/results.json`, so that they agree.

The words around the tables are written by hand and hold no measured number.
"""

from __future__ import annotations

import re
from pathlib import Path

from bench.results import RESULTS, Aim, Figure, Measurement, Results

PAGE = Path(__file__).resolve().parent.parent / "docs" / "figures.md"
_TABLE = re.compile(r"(<!-- figures: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_MACHINE = "machine"


def main() -> None:
    """Bring the page in step with the kept results."""
    write_page(Results.model_validate_json(RESULTS.read_bytes()))


def write_page(results: Results) -> None:
    """Replace every table of the page."""
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


def page_with_tables(page: str, results: Results) -> str:
    """The page with the tables of these results between its markers; a benchmark without results says so."""

    def fill(marked: re.Match[str]) -> str:
        return f"{marked[1]}\n{_section(marked['name'], results)}\n\n{marked[3]}"

    return _TABLE.sub(fill, page)


def as_text(measurement: Measurement) -> str:
    """The figures of one benchmark for a terminal."""
    rows = [(f.name, f"{_number(f.median)} {f.unit}", _range(f), _verdict(f)) for f in measurement.figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *measurement.notes, f"({measurement.took_s:.0f} s)", ""])


def _section(name: str, results: Results) -> str:
    if name == _MACHINE:
        return _machine(results)
    measurement = results.benchmarks.get(name)
    return _table(name, measurement) if measurement else f"Not measured yet: `python -m bench {name}`."


def _machine(results: Results) -> str:
    rows = [f"| {fact} | {value} |" for fact, value in results.machine.model_dump().items()]
    return "\n".join(["| | |", "|---|---|", *rows]).replace("| memory_gb |", "| memory, GB |")


def _table(name: str, measurement: Measurement) -> str:
    head = ["| | median | range | values | aim | |", "|---|---|---|---|---|---|"]
    rows = [
        f"| {f.name} | {_number(f.median)} {f.unit} | {_range(f)} | {f.count} | {_aim(f.aim)} | {_verdict(f)} |"
        for f in measurement.figures
    ]
    told = (
        f"`python -m bench {name}`, {measurement.at:%Y-%m-%d %H:%M} UTC, commit `{measurement.commit}`, "
        f"load average {measurement.load_average:g} at the start, took {measurement.took_s:.0f} s."
    )
    return "\n".join([*head, *rows, "", told, *(f"\n{note}" for note in measurement.notes)])


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _range(figure: Figure) -> str:
    return "" if figure.count == 1 else f"{_number(figure.min)} – {_number(figure.max)}"


def _aim(aim: Aim | None) -> str:
    return "" if aim is None else f"{aim.relation} {_number(aim.value)}"


def _verdict(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    return "met" if figure.aim.is_met(figure.median) else "missed"


if __name__ == "__main__":
    main()
