"""Which jobs take as much memory and as much time a step, so that what one measured tells of the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from records.specs import BaseSpec

_WITHOUT_EFFECT = frozenset(
    {
        *BaseSpec.model_fields,
        "epochs", "batch_size", "seed", "learning_rate", "schedule", "early_stopping", "class_weights",
        "validation_fraction", "train_examples", "checkpoint_every_s", "micro_batch", "on_oom",
    }
)  # fmt: skip
"""Fields of specs that change neither, or change it as the estimate says. A field that is not named here counts."""


def likeness_of(spec: Mapping[str, Any]) -> str:
    """The same for specs, as plain data, that are alike in this sense."""
    told = {name: value for name, value in spec.items() if name not in _WITHOUT_EFFECT}
    if isinstance(told.get("optimizer"), Mapping):
        told["optimizer"] = told["optimizer"].get("name")
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
