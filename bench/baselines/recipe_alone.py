"""Our own recipe without the service: one process, and a list that takes the events. Run by `bench.alone`."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ml.engine.device import prepare_device
from ml.engine.quiet import quieten
from ml.kinds import load_recipe
from ml.reporter import Reporter
from records.events import Event, Facts, Metrics
from records.orders import Order, OrderedDevice
from records.specs import parse_spec


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Train; the result has the run's facts, and when each epoch's validation had been measured, in seconds."""
    facts: dict[str, Any] = {}
    epochs_at_s: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, Facts):
            facts.update(event.facts)
        if isinstance(event, Metrics) and any(point.name == "val/loss" for point in event.points):
            epochs_at_s.append(time.perf_counter())

    quieten()
    device = OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=8 * 10**9, threads=request["threads"])
    spec = parse_spec(request["spec"])
    recipe = load_recipe(spec.kind)
    prepare_device(device)
    with tempfile.TemporaryDirectory(dir=request["folder"]) as folder:
        order = Order(
            job_id=1,
            attempt_number=1,
            spec=spec.model_dump(mode="json"),
            device=device,
            inputs={"dataset": Path(request["dataset"])},
            folder=Path(folder),
        )
        summary = recipe(spec, order, Reporter(hear))
    return {"facts": facts, "epochs_at_s": epochs_at_s, "summary": summary}


if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
