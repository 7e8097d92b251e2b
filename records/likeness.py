"""Which jobs take as much memory and as much time a step, so that what one measured tells of the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from records.specs import BaseSpec

_WITHOUT_EFFECT = frozenset(
    {
        *BaseSpec.model_fields, "on_oom",
        "epochs", "head_epochs", "seed", "split_seed", "learning_rate", "head_learning_rate", "rate_decay",
        "schedule", "early_stopping", "class_weights", "validation_fraction", "train_examples", "checkpoint_every_s",
        "boundary_px", "content", "styles", "start", "content_weight", "style_weight", "total_variation_weight",
        "preserve_colors", "picture_every_s",
    }
)  # fmt: skip
"""Fields of specs that do not change what a step takes. A field that is not named here counts."""


def likeness_of(spec: Mapping[str, Any]) -> str:
    """The same for specs, as plain data, that are alike in this sense; batches differ as their estimates say."""
    told = dict(spec)
    if isinstance(told.get("optimizer"), Mapping):
        told["optimizer"] = told["optimizer"].get("name")
    return step_digest(told, without={"batch_size", "micro_batch"})


def step_digest(spec: Mapping[str, Any], *, without: Collection[str] = ()) -> str:
    """The same for specs, as plain data, whose steps take as much, whatever these further fields are."""
    told = {name: value for name, value in spec.items() if name not in _WITHOUT_EFFECT and name not in without}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
