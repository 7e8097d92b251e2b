"""`trainyard estimate --refined`: TensorFlow traces the step on this machine, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

import typer

from trainyard.results import Dataset

_LIMIT_S = 900.0
_THREADS = 2
_CARD = {"ref", "classes", "counts", "channels", "image_shape", "sha256", "task"}
"""What tracing must know of a dataset (`records.library.DatasetCard`)."""


class Refined(NamedTuple):
    """A refined peak of a device of one kind."""

    low_bytes: int
    likely_bytes: int
    high_bytes: int
    kind: str
    took_s: float


def refine(spec: Mapping[str, Any], *, kind: str, dataset: Dataset | None = None) -> Refined:
    """Trace the step of a spec; seconds to a minute, for each of its stages.

    Args:
        spec: what to train.
        kind: of the device.
        dataset: that it names, as the yard knows it; left out, the catalogue's.

    Raises:
        typer.BadParameter: there is no TensorFlow here, or the spec makes no training.
    """
    if find_spec("tensorflow") is None:
        raise typer.BadParameter(
            "--refined traces the step with TensorFlow, which is not installed here. Run it on a worker's machine, or "
            "install trainyard[training]."
        )
    card = None if dataset is None else dataset.model_dump(mode="json", include=_CARD)
    request = json.dumps({"spec": dict(spec), "kind": kind, "threads": _THREADS, "dataset": card})
    command = [sys.executable, "-m", "ml.engine.refine"]
    try:
        done = subprocess.run(command, input=request, capture_output=True, text=True, timeout=_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise typer.BadParameter(f"Tracing took longer than {_LIMIT_S} s. Leave --refined out.") from None
    if done.returncode:
        raise typer.BadParameter(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "Tracing failed.")
    return Refined(**json.loads(done.stdout.strip().splitlines()[-1]))
