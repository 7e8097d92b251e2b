"""From coarse to fine."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ml.style.sizes import SMALLEST_PX, Level, fit, plan_levels


def test_each_size_is_twice_the_one_before_and_has_half_of_its_steps():
    assert plan_levels(384, 512, steps=140, levels=3) == (Level(96, 128, 80), Level(192, 256, 40), Level(384, 512, 20))


def test_a_small_picture_has_one_size():
    assert plan_levels(100, 120, steps=10, levels=4) == (Level(100, 120, 10),)


def test_a_picture_is_fitted_to_its_longer_side():
    assert fit(600, 800, 400) == (300, 400)
    assert fit(3, 8000, 400) == (1, 400)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 2000), st.integers(1, 8))
def test_steps_add_up_and_the_last_size_is_the_pictures(height, width, steps, levels):
    planned = plan_levels(height, width, steps=steps, levels=levels)
    assert (planned[-1].height, planned[-1].width) == (height, width)
    assert sum(level.steps for level in planned) == steps
    assert all(max(level.height, level.width) >= SMALLEST_PX for level in planned[:-1])
    assert all(level.steps > 0 for level in planned)
