"""Improvement, waiting, points and pace: small arithmetic that decides when things happen."""

from __future__ import annotations

import pytest

from ml.engine.pace import Pace
from ml.engine.points import batch_counts, due_windows, steps_per_point
from ml.engine.watching import Watched


def watch(values: list[float], metric: str, min_delta: float) -> list[int]:
    watched, waits = Watched(), []
    for value in values:
        watched = watched.after(value, metric=metric, min_delta=min_delta)
        waits.append(watched.waited)
    return waits


def test_a_loss_improves_downwards_by_more_than_the_least_gain() -> None:
    assert watch([1.0, 0.95, 0.8, 0.9, 0.71], "val/loss", 0.1) == [0, 1, 0, 1, 2]


def test_an_accuracy_improves_upwards() -> None:
    assert watch([0.5, 0.6, 0.6, 0.4, 0.7], "val/accuracy", 0.0) == [0, 0, 1, 2, 0]


def test_windows_begin_with_the_epoch_and_the_last_ends_with_it() -> None:
    assert due_windows(0, 7, width=3, last=7) == [(0, 3), (3, 6), (6, 7)]


@pytest.mark.parametrize("stop", range(1, 7))
def test_windows_do_not_depend_on_where_chunks_ended(stop: int) -> None:
    parts = due_windows(0, stop, width=3, last=7) + due_windows(stop, 7, width=3, last=7)
    assert parts == due_windows(0, 7, width=3, last=7)


def test_points_are_some_twenty_an_epoch_and_a_thousand_at_most() -> None:
    assert steps_per_point(6, 3) == 1
    assert steps_per_point(422, 10) == 22
    assert steps_per_point(422, 1000) == 422


def test_the_last_batch_holds_what_is_left() -> None:
    assert batch_counts(10, 4).tolist() == [4, 4, 2]
    assert batch_counts(8, 4).tolist() == [4, 4]


def test_pace_runs_one_step_first_and_then_as_many_as_fit_between_two_looks() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert pace.begin_chunk(1000) == 1
    now[0] += 5.0  # compiling; says nothing of the steps to come
    pace.end_chunk(1)
    assert pace.time_left_s(10) is None
    assert pace.begin_chunk(1000) == 2
    now[0] += 0.02
    pace.end_chunk(2)
    assert pace.begin_chunk(1000) == 25
    assert pace.begin_chunk(3) == 3
    assert pace.time_left_s(10) == pytest.approx(0.1)
    assert pace.images_per_s(128) == pytest.approx(12_800)
