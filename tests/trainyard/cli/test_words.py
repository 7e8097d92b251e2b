"""Numbers and times as people read them."""

from __future__ import annotations

import pytest

from trainyard.cli import words


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (7, "0:07"), (59.6, "1:00"), (725, "12:05"), (11_099, "3:04:59")]
)
def test_a_span_of_time(seconds: float | None, text: str) -> None:
    assert words.span(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1_400_000, "1.4 MB"), (3.2e12, "3.2 TB")])
def test_a_count_of_bytes(count: int, text: str) -> None:
    assert words.bytes_(count) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0.99231, "0.9923"), (0.0, "0.0000"), (0.00001234, "1.23e-05"), (12345, "12,345"), (None, "?")]
)
def test_a_metric_value(number: object, text: str) -> None:
    assert words.value(number) == text


def test_a_sparkline_spans_from_lowest_to_highest() -> None:
    assert words.sparkline([0.0, 7.0], 10) == "▁█"
    assert words.sparkline([1.0, 1.0, 1.0], 10) == "▁▁▁"
    assert len(words.sparkline([float(i) for i in range(1000)], 40)) == 40
    assert words.sparkline([], 10) == ""
