"""The form of `bench/results.json`: the machine, and for each benchmark its figures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

RESULTS = Path(__file__).with_name("results.json")
"""The figures that are kept in git."""
TRIED = Path(__file__).with_name("scratch") / "quick.json"
"""Where `--quick` writes; not kept."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Aim(_Part):
    """What a figure's median was meant to be."""

    relation: Literal["at least", "at most"]
    value: float

    def is_met(self, median: float) -> bool:
        """Whether the median is on the right side; the bound itself counts."""
        return median >= self.value if self.relation == "at least" else median <= self.value


class Figure(_Part):
    """One thing measured so many times."""

    name: str
    unit: str
    """`s`, `ms`, `MB`, `1/s`; `×` for a ratio."""
    median: float
    min: float
    max: float
    count: int
    """How many values the median was taken of."""
    aim: Aim | None = None


class Measurement(_Part):
    """What one benchmark found."""

    at: datetime
    commit: str
    """Of the checkout, with `+` when files were changed since."""
    load_average: float
    """The machine's, over one minute, when the benchmark began: above 1 somebody else was at work."""
    took_s: float
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    """What could not be measured, and why; what one must know to read the figures."""


class Machine(_Part):
    """What the figures were measured on."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    tensorflow: str
    keras: str
    sqlite: str
    postgresql: str
    gunicorn: str


class Results(_Part):
    """The whole file."""

    machine: Machine
    benchmarks: dict[str, Measurement]

    def with_measurement(self, name: str, measurement: Measurement) -> Results:
        """The same with one benchmark replaced."""
        return self.model_copy(update={"benchmarks": {**self.benchmarks, name: measurement}})


def read_results(path: Path, machine: Machine) -> Results:
    """The results in a file, if they come from this very machine; figures of two machines are never mixed."""
    if path.exists():
        kept = Results.model_validate_json(path.read_bytes())
        if kept.machine == machine:
            return kept
    return Results(machine=machine, benchmarks={})


def write_results(path: Path, results: Results) -> None:
    """Write the file, readable in a diff."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(results.model_dump_json(indent=1) + "\n", encoding="utf-8")
