"""What makes two trainings the same, and what they ran on."""

from __future__ import annotations

import json
import platform
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from records.orders import Order
from records.specs import TrainSpec
from records.specs.memory import SavingMemory

WITHOUT_EFFECT = {*SavingMemory.model_fields, "kind", "checkpoint_every_s"}
"""Fields of a spec that may change between two attempts at the same training. Those that save memory change the last
bits, and what batch normalisation sees; a job that ran out of memory goes on with others."""


def training_identity(spec: TrainSpec, order: Order) -> dict[str, Any]:
    """All that a checkpoint must agree on with the training that continues from it."""
    fields = spec.model_dump(mode="json", exclude=WITHOUT_EFFECT)
    plain: dict[str, Any] = json.loads(json.dumps(fields))
    if digest := order.facts.get("dataset_sha256"):
        plain["dataset_sha256"] = digest
    return plain


def describe_surroundings(order: Order) -> dict[str, Any]:
    """Versions, device and where the inputs come from, for the run's record."""
    return {
        "versions": {
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
        "device": order.device.model_dump(),
        "deterministic": order.device.kind == "cpu",
        **order.facts,
    }
