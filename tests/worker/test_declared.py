"""Devices declared by hand."""

from __future__ import annotations

import pytest

from records.errors import TrainyardError
from worker.declared import parse_devices


def test_name_memory_and_threads_are_read():
    cpu, gpu = parse_devices("cpu:0=4GB/2, gpu:3=1.5TB", gpu_jobs=5)
    assert (cpu.name, cpu.kind, cpu.number, cpu.memory_bytes) == ("cpu:0", "cpu", 0, 4 * 10**9)
    assert (cpu.threads, cpu.slots) == (2, 2)
    assert (gpu.name, gpu.kind, gpu.number, gpu.memory_bytes) == ("gpu:3", "gpu", 3, 1_500 * 10**9)
    assert (gpu.threads, gpu.slots) == (1, 5)


def test_nothing_declared_is_no_device():
    assert parse_devices(" ", gpu_jobs=8) == []


@pytest.mark.parametrize("text", ["cpu", "cpu:0", "cpu:0=4", "tpu:0=4GB", "cpu:0=-4GB", "cpu:0=4GB/x", "cpu:0=4GB/1/2"])
def test_another_form_is_told_what_was_expected(text):
    with pytest.raises(TrainyardError, match="expected a form like cpu:0=4GB/1"):
        parse_devices(text, gpu_jobs=8)


def test_a_name_stands_once():
    with pytest.raises(TrainyardError, match="each name once"):
        parse_devices("gpu:0=4GB,gpu:0=8GB", gpu_jobs=8)
