"""Metrics: written again they are replaced, and thinned curves keep their peaks."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from records import runs
from records.events import MetricPoint
from records.tables import MetricTable

AT = datetime(2026, 1, 1, tzinfo=UTC)


def point(name, step, value, at=AT):
    return MetricPoint(name=name, step=step, value=value, at=at)


@pytest.fixture
def curve(yard):
    """A running job; `write(points)` and `read(…)` its metrics."""
    return Curve(yard, yard.start())


class Curve:
    def __init__(self, yard, claim):
        self.yard, self.claim = yard, claim

    def write(self, points):
        with self.yard.database.write() as session:
            runs.write_metrics(session, self.claim.run_id, points)

    def clear(self):
        with self.yard.database.write() as session:
            session.execute(text("DELETE FROM metrics"))

    def read(self, *names, **options):
        with self.yard.database.read() as session:
            return [(p.name, p.step, p.value) for p in runs.read_metrics(session, self.claim.job_id, names, **options)]

    def thin(self, name, max_points, after=None):
        with self.yard.database.read() as session:
            job_id = self.claim.job_id
            points = runs.read_metrics_thinned(session, job_id, name, max_points=max_points, after=after)
            return [(p.step, p.value) for p in points]


def test_points_are_read_back_by_name_and_step(curve):
    curve.write([point("b", 2, 0.5), point("a", 10, 1.5), point("a", 9, 2.5)])
    assert curve.read() == [("a", 9, 2.5), ("a", 10, 1.5), ("b", 2, 0.5)]
    assert curve.read("b") == [("b", 2, 0.5)]
    assert curve.read(after=9) == [("a", 10, 1.5)]
    assert curve.read(limit=1) == [("a", 9, 2.5)]
    with curve.yard.database.read() as session:
        assert runs.metric_names(session, curve.claim.job_id) == ["a", "b"]


def test_a_point_written_again_is_replaced(curve):
    later = datetime(2026, 2, 2, tzinfo=UTC)
    curve.write([point("loss", 1, 1.0), point("loss", 2, 1.0)])
    curve.write([point("loss", 2, 7.0, later), point("loss", 3, 8.0)])
    assert curve.read() == [("loss", 1, 1.0), ("loss", 2, 7.0), ("loss", 3, 8.0)]
    with curve.yard.database.read() as session:
        assert [p.at for p in runs.read_metrics(session, curve.claim.job_id)] == [AT, later, AT]


def test_of_the_same_point_twice_in_one_write_the_last_counts(curve):
    curve.write([point("loss", 1, 1.0), point("loss", 1, 2.0)])
    assert curve.read() == [("loss", 1, 2.0)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None])
def test_what_is_no_finite_number_is_kept_as_none(curve, value):
    curve.write([point("loss", 1, value)])
    assert curve.read() == [("loss", 1, None)]


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-320, 1.7976931348623157e308, -2.5, 3.0])
def test_a_value_comes_back_bit_for_bit(curve, value):
    curve.write([point("loss", 10**12, value)])
    ((_, step, kept),) = curve.read()
    assert (step, kept.hex()) == (10**12, value.hex())


def test_a_hundred_thousand_points_are_kept_and_read(curve):
    curve.write([point("loss", step, step / 7) for step in range(100_000)])
    with curve.yard.database.read() as session:
        assert session.scalar(select(func.count()).select_from(MetricTable)) == 100_000
    thinned = curve.thin("loss", 1_000)
    assert len(thinned) <= 1_000
    assert (thinned[0], thinned[-1]) == ((0, 0.0), (99_999, 99_999 / 7))


def test_few_points_are_not_thinned(curve):
    curve.write([point("loss", step, 1.0) for step in range(10)])
    assert len(curve.thin("loss", 10)) == 10
    assert len(curve.thin("loss", 10, after=4)) == 5
    assert curve.thin("nothing", 10) == []


def test_peaks_survive_beside_lost_values(curve):
    points = [point("loss", step, 1.0) for step in range(1000)]
    points[500] = point("loss", 500, 99.0)
    points[501] = point("loss", 501, None)
    points[502] = point("loss", 502, -99.0)
    curve.write(points)
    thinned = curve.thin("loss", 10)
    assert (500, 99.0) in thinned
    assert (502, -99.0) in thinned


finite = st.floats(-1e6, 1e6)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    values=st.dictionaries(st.integers(0, 10**9), st.none() | finite, max_size=60),
    max_points=st.integers(1, 30),
    after=st.none() | st.integers(0, 10**9),
)
def test_a_thinned_curve_is_bounded_in_order_and_keeps_the_extremes(curve, values, max_points, after):
    curve.clear()
    curve.write([point("loss", step, value) for step, value in values.items()])
    thinned = curve.thin("loss", max_points, after)
    left = {step: value for step, value in values.items() if after is None or step > after}
    assert len(thinned) <= max_points
    assert [step for step, _ in thinned] == sorted({step for step, _ in thinned})
    assert all(left[step] == value for step, value in thinned)
    numbers = [value for value in left.values() if value is not None]
    if numbers and max_points >= 2:
        kept = [value for _, value in thinned if value is not None]
        assert (min(kept), max(kept)) == (min(numbers), max(numbers))


def test_facts_and_summary_grow_and_keep_what_was_there(yard):
    claim = yard.start()
    for facts, summary in (({"seed": 1}, {"test/loss": 2.0}), ({"device": "gpu:0"}, {"test/accuracy": 0.5})):
        with yard.database.write() as session:
            runs.note_run(session, claim.run_id, facts=facts, summary=summary)
    (run,) = yard.rows(select(runs.RunTable))
    assert run.facts == {"seed": 1, "device": "gpu:0"}
    assert run.summary == {"test/loss": 2.0, "test/accuracy": 0.5}
