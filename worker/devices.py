"""The devices of this machine: its GPUs through NVML, else the CPU as one device. Never imports TensorFlow."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Mapping
from pathlib import Path

import psutil
import pynvml

from records.workers import FoundDevice
from worker.cgroup import memory_limit_bytes

log = logging.getLogger("trainyard.devices")


LENT = 0.9
"""Part of the main memory that the CPU device lends: the rest is the system's, the worker's and the yard's own."""
_MOST_KEPT = 0.25


def find_devices(
    *, cpu_threads: int, gpu_jobs: int, kept_bytes: int, environment: Mapping[str, str]
) -> list[FoundDevice]:
    """What this machine can lend to attempts.

    Args:
        cpu_threads: processor threads that the CPU lends; 0 means all that this process may use.
        gpu_jobs: attempts that may share a GPU.
        kept_bytes: main memory that is the predictor's, as `predictor_bytes` has it.
        environment: that of the children; `CUDA_VISIBLE_DEVICES` in it limits the GPUs.
    """
    threads = cpu_threads or len(os.sched_getaffinity(0))
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    return find_gpus(threads, visible, jobs=gpu_jobs) or [find_cpu(threads, kept_bytes=kept_bytes)]


def find_cpu(threads: int, *, kept_bytes: int = 0) -> FoundDevice:
    """The CPU with what may be lent of its memory, but for what is kept for other uses."""
    return FoundDevice("cpu:0", "cpu", 0, cpu_model(), _lendable_bytes() - kept_bytes, threads, slots=threads)


def predictor_bytes(wanted: int) -> int:
    """Main memory for the predictor: what is wanted, but no more than a quarter of what this machine can lend."""
    return min(wanted, int(_MOST_KEPT * _lendable_bytes()))


def _lendable_bytes() -> int:
    """Most of the machine's memory, or of the control group's that this process is confined to."""
    return int(LENT * min(psutil.virtual_memory().total, memory_limit_bytes() or 2**63))


def find_gpus(threads: int, visible: str | None, *, jobs: int) -> list[FoundDevice]:
    """The GPUs that NVML knows and `visible` (CUDA's list of numbers or UUIDs) allows; none without a driver."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        log.info("gpus.none reason=%s", error)
        return []
    try:
        found = [_gpu(number) for number in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError as error:
        log.warning("gpus.unreadable reason=%s", error)
        return []
    finally:
        pynvml.nvmlShutdown()
    allowed = [(number, model, size) for number, uuid, model, size in found if is_visible(number, uuid, visible)]
    share = max(1, threads // max(1, len(allowed)))
    return [
        FoundDevice(f"gpu:{number}", "gpu", number, model, size, share, slots=jobs) for number, model, size in allowed
    ]


def is_visible(number: int, uuid: str, visible: str | None) -> bool:
    """Whether `CUDA_VISIBLE_DEVICES` allows a GPU. Unset means all; a list ends at its first invalid entry."""
    if visible is None:
        return True
    for entry in (part.strip() for part in visible.split(",")):
        if not entry or entry.startswith("-"):
            return False
        if entry == str(number) or (not entry.isdigit() and uuid.startswith(entry)):
            return True
    return False


def _gpu(number: int) -> tuple[int, str, str, int]:
    gpu = pynvml.nvmlDeviceGetHandleByIndex(number)
    uuid, model = _text(pynvml.nvmlDeviceGetUUID(gpu)), _text(pynvml.nvmlDeviceGetName(gpu))
    return number, uuid, model, int(pynvml.nvmlDeviceGetMemoryInfo(gpu).total)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def cpu_model() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return (names or [platform.machine()])[0][:200]
