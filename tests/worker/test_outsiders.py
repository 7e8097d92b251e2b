"""Who else holds memory of a GPU: with a stand-in at NVML's border, as no GPU is needed to count."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pynvml
import pytest

from worker.outsiders import Holding, Outsiders, Taken, await_gone

GB = 10**9
OURS, THEIRS = 4711, os.getpid()


class FakeNvml:
    """One GPU: what is used of it, and by whom as far as NVML tells."""

    def __init__(self) -> None:
        self.used = 0
        self.processes: dict[int, int | None] = {}
        self.open = 0


@pytest.fixture
def nvml(monkeypatch):
    fake = FakeNvml()

    def count(by):
        fake.open += by

    replies = {
        "nvmlInit": lambda: count(1),
        "nvmlShutdown": lambda: count(-1),
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(used=fake.used),
        "nvmlDeviceGetComputeRunningProcesses": lambda gpu: [
            SimpleNamespace(pid=pid, usedGpuMemory=size) for pid, size in fake.processes.items()
        ],
        "nvmlDeviceGetGraphicsRunningProcesses": _not_supported,
    }
    for name, reply in replies.items():
        monkeypatch.setattr(pynvml, name, reply)
    yield fake
    assert fake.open == 0, "NVML is shut down as often as it is begun"


def _not_supported(gpu):
    raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


def look(outsiders, holding):
    return outsiders.look({0: holding})[0]


def test_all_that_is_used_of_an_idle_gpu_is_the_outsiders(nvml):
    nvml.used, nvml.processes = 3 * GB, {THEIRS: 2 * GB}
    taken = look(Outsiders(), Holding())
    assert taken.memory_bytes == 3 * GB, "with what nobody is listed for"
    (taker,) = taken.takers
    assert (taker["pid"], taker["memory_bytes"]) == (THEIRS, 2 * GB)
    assert "python" in taker["name"] or "pytest" in taker["name"]


def test_what_our_own_children_hold_is_not_the_outsiders(nvml):
    nvml.used, nvml.processes = 9 * GB, {OURS: 6 * GB, THEIRS: 3 * GB}
    taken = look(Outsiders(), Holding({OURS}, lent_bytes=8 * GB))
    assert taken.memory_bytes == 3 * GB
    assert [taker["pid"] for taker in taken.takers] == [THEIRS]


@pytest.mark.parametrize("processes", [{}, {OURS: None}, {99_999_999: 6 * GB}], ids=["none", "no size", "the host's"])
def test_where_processes_cannot_be_told_what_was_there_before_counts(nvml, processes):
    outsiders = Outsiders()
    nvml.used = 3 * GB
    look(outsiders, Holding())
    nvml.used, nvml.processes = 9 * GB, processes
    assert look(outsiders, Holding({OURS}, lent_bytes=8 * GB)).memory_bytes == 3 * GB
    nvml.used = 13 * GB
    assert look(outsiders, Holding({OURS}, lent_bytes=8 * GB)).memory_bytes == 5 * GB, "what is beyond all that is lent"


def test_the_drivers_rounding_is_nobodys(nvml):
    nvml.used = 10**6
    assert look(Outsiders(), Holding()) == Taken(0)


def test_without_a_driver_nothing_is_told(monkeypatch):
    def no_driver():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", no_driver)
    assert Outsiders().look({0: Holding()}) == {}
    assert await_gone(0, OURS, within_s=1.0)


def test_a_process_that_has_ended_is_waited_for_until_its_memory_is_free(nvml):
    nvml.processes = {OURS: GB}
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            nvml.processes = {}

    assert await_gone(0, OURS, within_s=60.0, pause=pause)
    assert len(pauses) == 3


def test_memory_that_is_not_given_back_is_not_waited_for_for_ever(nvml):
    nvml.processes = {OURS: GB}
    assert not await_gone(0, OURS, within_s=0.0, pause=lambda seconds: None)
