"""How much of a device a job takes, by memory or by threads, whichever is more."""

from __future__ import annotations

from records.placing.snapshot import Demand, Device, Lease

LEAST_WHOLE = 0.9
"""A device counts as whole while programs outside the yard hold no more of its memory than the rest to 1."""


def lendable_bytes(device: Device) -> int:
    """The device's memory without what programs outside the yard hold."""
    return max(0, device.memory_bytes - device.taken_bytes)


def needed_bytes(demand: Demand, device: Device) -> int:
    """Memory of this device for such a job, in bytes; all that can be lent, for a whole one."""
    asked = demand.gpu_bytes if device.kind == "gpu" else demand.cpu_bytes
    return lendable_bytes(device) if asked is None else asked


def needed_threads(demand: Demand, device: Device) -> int:
    """Threads of this device for such a job: never more than it has, and on a GPU none that are counted."""
    if device.kind == "gpu":
        return 0
    whole = demand.threads is None or demand.cpu_bytes is None
    return device.threads if whole else min(device.threads, max(1, demand.threads or 1))


def is_whole(demand: Demand, device: Device) -> bool:
    """Whether such a job wants the device to itself."""
    return (demand.gpu_bytes if device.kind == "gpu" else demand.cpu_bytes) is None


def granted_threads(demand: Demand, device: Device) -> int:
    """The threads that the child may use: those that were asked for, even where a whole CPU is its own, as the bits of
    its result depend on their number; on a GPU its part by memory, at least one."""
    if device.kind != "gpu":
        return min(device.threads, demand.threads or device.threads)
    part = needed_bytes(demand, device) / max(1, device.memory_bytes)
    return max(1, round(device.threads * min(1.0, part)))


def share_of(device_kind: str, memory_bytes: int, threads: int, *, of_bytes: int, of_threads: int) -> float:
    """The part of a device, 0 to 1, that such a lease holds: by memory or by threads, whichever is more."""
    by_memory = memory_bytes / max(1, of_bytes)
    by_threads = threads / max(1, of_threads) if device_kind != "gpu" else 0.0
    return min(1.0, max(by_memory, by_threads))


def charged_bytes(demand: Demand, device: Device) -> float:
    """What such a job is charged for on this device: its part of it, as memory."""
    threads = needed_threads(demand, device)
    memory_bytes = min(needed_bytes(demand, device), device.memory_bytes)
    part = share_of(device.kind, memory_bytes, threads, of_bytes=device.memory_bytes, of_threads=device.threads)
    return part * device.memory_bytes


def leased_bytes(lease: Lease, device: Device) -> float:
    """What a lease is charged for: its part of the device, as memory."""
    part = share_of(
        device.kind, lease.memory_bytes, lease.threads, of_bytes=device.memory_bytes, of_threads=device.threads
    )
    return part * device.memory_bytes
