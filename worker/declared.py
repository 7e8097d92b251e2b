"""Devices declared by hand: for tests, for machines that lend less than they have, and to see what would be."""

from __future__ import annotations

import re

from records.errors import TrainyardError
from records.workers import FoundDevice
from worker.devices import cpu_model

_FORM = re.compile(
    r"(?P<kind>cpu|gpu):(?P<number>\d{1,3})=(?P<size>\d+(\.\d+)?)(?P<unit>[MGT]B)(/(?P<threads>\d{1,4}))?"
)
_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_devices(text: str, *, gpu_jobs: int) -> list[FoundDevice]:
    """The devices in `cpu:0=4GB/1,gpu:0=8GB`: name, memory, threads (1 when left out); none for an empty text.

    Args:
        text: of the setting.
        gpu_jobs: attempts that may share a GPU. A CPU is shared by as many as it has threads.

    Raises:
        TrainyardError: a part has another form, or a name stands twice.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    found = [_device(part, gpu_jobs) for part in parts]
    names = [device.name for device in found]
    if len(set(names)) < len(names):
        raise TrainyardError(f"TRAINYARD_DEVICES: expected each name once, got {', '.join(names)}.")
    return found


def _device(part: str, gpu_jobs: int) -> FoundDevice:
    match = _FORM.fullmatch(part)
    if match is None:
        raise TrainyardError(f"TRAINYARD_DEVICES: expected a form like cpu:0=4GB/1 or gpu:0=8GB, got {part!r}.")
    kind, number, threads = match["kind"], int(match["number"]), max(1, int(match["threads"] or 1))
    memory_bytes = int(float(match["size"]) * _UNITS[match["unit"]])
    model = "declared GPU" if kind == "gpu" else f"{cpu_model()}, declared"[:200]
    slots = gpu_jobs if kind == "gpu" else threads
    return FoundDevice(f"{kind}:{number}", kind, number, model, memory_bytes, threads, slots)
