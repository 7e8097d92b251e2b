"""Collecting what is wrong, or odd, with single files."""

from __future__ import annotations

from collections import Counter

from ml.intake.archives.names import shown
from records.intake import Problem

MOST_LISTED = 1000


class Problems:
    """All that is counted, and the first thousand of each sort that are kept in words."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """By code."""
        self.bad = 0
        """Files that cannot be taken in."""
        self._bad: list[Problem] = []
        self._odd: list[Problem] = []

    def add(self, name: str | bytes, code: str, text: str) -> None:
        """A file that cannot be taken in."""
        self.counts[code] += 1
        self.bad += 1
        _keep(self._bad, Problem(name=shown(name), code=code, text=text, left_out=True))

    def add_odd(self, name: str, code: str, text: str) -> None:
        """A file that is unusual, and in the set."""
        self.counts[code] += 1
        _keep(self._odd, Problem(name=shown(name), code=code, text=text, left_out=False))

    @property
    def first_bad(self) -> Problem | None:
        return self._bad[0] if self._bad else None

    def listed(self) -> tuple[Problem, ...]:
        """At most a thousand, bad ones first."""
        return tuple([*self._bad, *self._odd][:MOST_LISTED])

    @property
    def more(self) -> int:
        """How many are not listed."""
        return self.counts.total() - len(self.listed())


def _keep(problems: list[Problem], problem: Problem) -> None:
    if len(problems) < MOST_LISTED:
        problems.append(problem)
