"""Learning-rate schedules: the factor on the spec's `learning_rate` at each step. Pure arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from records.specs.train import Constant, Cosine, Exponential, OneCycle, Plateau, Schedule


def schedule_factors(schedule: Schedule, steps: int, steps_per_epoch: int) -> NDArray[np.float64]:
    """The factor at each of `steps` optimizer steps, `[steps]`; index 0 is the first step.

    `plateau` gives ones here: it depends on what training brings, see `ml.engine.watching`.
    """
    step = np.arange(steps, dtype=np.float64)
    match schedule:
        case Constant() | Plateau():
            return np.ones(steps)
        case Exponential(decay=decay):
            return decay ** (step / steps_per_epoch)
        case Cosine():
            return _cosine(step, steps, schedule)
        case OneCycle():
            return _one_cycle(step / max(1, steps - 1), schedule)


def _cosine(step: NDArray[np.float64], steps: int, schedule: Cosine) -> NDArray[np.float64]:
    """Warm-up reaches the peak with its last step; the cosine would reach its end one step after the last."""
    warmup = round(schedule.warmup_fraction * steps)
    rising = (step + 1) / max(1, warmup)
    falling = _half_cosine((step - warmup) / (steps - warmup), 1.0, schedule.final_fraction)
    return np.where(step < warmup, rising, falling)


def _one_cycle(share: NDArray[np.float64], schedule: OneCycle) -> NDArray[np.float64]:
    """`share` goes from 0 at the first step to 1 at the last."""
    peak = schedule.peak_fraction
    rising = _half_cosine(share / peak, schedule.start_fraction, 1.0)
    falling = _half_cosine((share - peak) / (1 - peak), 1.0, schedule.final_fraction)
    return np.where(share < peak, rising, falling)


def _half_cosine(share: NDArray[np.float64], first: float, last: float) -> NDArray[np.float64]:
    """From `first` to `last` while `share` goes from 0 to 1, flat at both ends."""
    return last + (first - last) * (1 + np.cos(np.pi * share)) / 2
