"""Our style transfer without the service: one process, and a list that takes the events. Run by `bench.alone`."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from bench.recipes import run_recipe
from ml.networks.feature_networks import FEATURE_NETWORKS
from records.events import Event, Facts, Metrics, Stage


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Paint; the result has the time from the first step on at which each loss was known, in seconds, the losses,
    and the place of the first that is of the full size. A point for each step, as long as there are few.

    Args:
        request: `spec`, the files `content`, `style` and `features`, `threads`, and a `folder` to work in.
    """
    began = math.inf
    points: list[tuple[float, float]] = []
    levels: list[dict[str, int]] = []

    def hear(event: Event) -> None:
        nonlocal began
        if isinstance(event, Stage) and event.stage == "painting":
            began = time.perf_counter()
        if isinstance(event, Facts):
            levels.extend(event.facts.get("levels", ()))
        if isinstance(event, Metrics):
            now = time.perf_counter() - began
            points.extend((now, point.value or math.inf) for point in event.points if point.name == "loss")

    inputs = {
        "content": Path(request["content"]),
        "styles.0.picture": Path(request["style"]),
        "features": Path(request["features"]),
    }
    facts = {"features_sha256": FEATURE_NETWORKS[request["spec"]["features"]].source.digest}
    summary = run_recipe(request, hear, inputs=inputs, facts=facts)
    return {
        "at_s": [at for at, _ in points],
        "losses": [loss for _, loss in points],
        "full_size_from": sum(level["steps"] for level in levels[:-1]),
        "summary": summary,
    }


if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
