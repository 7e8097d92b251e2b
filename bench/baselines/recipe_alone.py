"""Our own recipe without the service: one process, and a list that takes the events. Run by `bench.alone`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from bench.recipes import run_recipe
from records.events import Event, Facts, Metrics


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Train; the result has the run's facts, and when each epoch's validation had been measured, in seconds."""
    facts: dict[str, Any] = {}
    epochs_at_s: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, Facts):
            facts.update(event.facts)
        if isinstance(event, Metrics) and any(point.name == "val/loss" for point in event.points):
            epochs_at_s.append(time.perf_counter())

    summary = run_recipe(request, hear, inputs={"dataset": Path(request["dataset"])})
    return {"facts": facts, "epochs_at_s": epochs_at_s, "summary": summary}


if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
