"""Learning-rate schedules against numbers worked out by hand."""

from __future__ import annotations

import pytest

from ml.engine.schedules import schedule_factors
from records.specs.train import Constant, Cosine, Exponential, OneCycle, Plateau, Schedule


def test_constant_and_plateau_leave_the_rate_alone() -> None:
    assert schedule_factors(Constant(), 4, 2).tolist() == [1, 1, 1, 1]
    assert schedule_factors(Plateau(), 3, 1).tolist() == [1, 1, 1]


def test_cosine_rises_to_the_peak_and_falls_along_half_a_cosine() -> None:
    factors = schedule_factors(Cosine(warmup_fraction=0.5), 8, 8)
    # Four steps up by quarters; then (1 + cos(pi k / 4)) / 2 for k = 0 to 3.
    assert factors.tolist() == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 0.853553, 0.5, 0.146447], abs=1e-6)


def test_cosine_without_warm_up_ends_near_its_final_fraction() -> None:
    factors = schedule_factors(Cosine(warmup_fraction=0.0, final_fraction=0.2), 4, 4)
    # 0.2 + 0.8 (1 + cos(pi k / 4)) / 2 for k = 0 to 3.
    assert factors.tolist() == pytest.approx([1.0, 0.882843, 0.6, 0.317157], abs=1e-6)


def test_exponential_decays_by_its_factor_every_epoch_and_smoothly_between() -> None:
    factors = schedule_factors(Exponential(decay=0.25), 5, 2)
    assert factors.tolist() == pytest.approx([1, 0.5, 0.25, 0.125, 0.0625])


def test_one_cycle_starts_low_peaks_where_it_should_and_ends_lower() -> None:
    schedule = OneCycle(peak_fraction=0.5, start_fraction=0.2, final_fraction=0.1)
    factors = schedule_factors(schedule, 5, 5)
    # Up: 0.2 at 0, 0.6 half-way, 1 at the middle; down: 0.55 half-way, 0.1 at the end.
    assert factors.tolist() == pytest.approx([0.2, 0.6, 1.0, 0.55, 0.1])


@pytest.mark.parametrize("schedule", [Constant(), Cosine(), Exponential(), OneCycle(), Plateau()])
@pytest.mark.parametrize("steps", [1, 2, 1000])
def test_every_schedule_stays_between_nothing_and_the_peak(schedule: Schedule, steps: int) -> None:
    factors = schedule_factors(schedule, steps, 1)
    assert factors.shape == (steps,)
    assert factors.min() >= 0
    assert factors.max() <= 1 + 1e-12
