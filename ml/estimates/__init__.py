"""What a training costs before it runs. Pure arithmetic over `ml.networks`: no Keras, so the API answers at once."""

from __future__ import annotations

from ml.estimates.cost import Cost, cost_of_finetuning, cost_of_segmenting, cost_of_training
from ml.estimates.demand import demand_of, useful_threads
from ml.estimates.estimate import FORM, Estimate, estimate_training
from ml.estimates.fitting import Room, advise
from ml.estimates.peak import Peak, Training
from ml.estimates.plan import Plan
from ml.estimates.remedies import SMALLER, Smaller
from ml.estimates.textbook import Textbook, count_by_hand

__all__ = [
    "FORM",
    "SMALLER",
    "Cost",
    "Estimate",
    "Peak",
    "Plan",
    "Room",
    "Smaller",
    "Textbook",
    "Training",
    "advise",
    "cost_of_finetuning",
    "cost_of_segmenting",
    "cost_of_training",
    "count_by_hand",
    "demand_of",
    "estimate_training",
    "useful_threads",
]
