"""Running one of our recipes without the service: this process, and a function that takes the events."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ml.engine.device import prepare_device
from ml.engine.quiet import quieten
from ml.kinds import load_recipe
from ml.reporter import Reporter
from records.events import Event
from records.orders import Order, OrderedDevice
from records.specs import parse_spec


def run_recipe(
    request: Mapping[str, Any],
    hear: Callable[[Event], None],
    *,
    inputs: Mapping[str, Path],
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The summary of a recipe. Call it in a process of its own: it takes the device for good.

    Args:
        request: `spec`, `threads`, and a `folder` to work in.
        hear: called with each event.
        inputs: what a worker would have staged, by role.
        facts: what it would have found out about them.
    """
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
            inputs=dict(inputs),
            facts=dict(facts or {}),
            folder=Path(folder),
        )
        return recipe(spec, order, Reporter(hear))
