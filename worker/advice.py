"""What a person could change where a training's memory did not do on any rung: each would change the experiment."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Literal

from ml.estimates import Cost
from ml.kinds import inspect
from records.attempts import Claim
from records.database import Database
from records.lookup import YardLibrary
from records.specs import parse_spec

log = logging.getLogger("trainyard.advice")

_LEAST_SAVED = 10**6


def memory_advice(database: Database, claim: Claim) -> str:
    """A sentence with what larger strides, smaller images, fewer layers and smaller batches would save; "" without one.

    Only nice to have: no failure matters.
    """
    try:
        with database.read() as session:
            cost = inspect(parse_spec(claim.spec, test_kinds=True), YardLibrary(session)).cost
        kind: Literal["cpu", "gpu"] = "gpu" if claim.device.kind == "gpu" else "cpu"
        return advice_words(cost.changes(kind)) if isinstance(cost, Cost) else ""
    except Exception as error:
        log.warning("advice.failed job_id=%s error=%r", claim.job_id, error)
        return ""


def advice_words(savings: Mapping[str, int]) -> str:
    """What each change would save, for people: the largest first."""
    told = [f"{change} {_size(saved)}" for change, saved in _largest_first(savings) if saved >= _LEAST_SAVED]
    if not told:
        return ""
    return f"What would change the experiment is yours to decide; by the estimate these would save: {', '.join(told)}."


def _largest_first(savings: Mapping[str, int]) -> list[tuple[str, Any]]:
    return sorted(savings.items(), key=lambda saving: -saving[1])


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 10**9 else f"{count / 1e6:.0f} MB"
