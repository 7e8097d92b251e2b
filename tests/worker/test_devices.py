"""What a machine can lend."""

from __future__ import annotations

import psutil
import pytest

from worker import cgroup
from worker.devices import find_cpu, find_devices, is_visible, predictor_bytes


def test_without_gpus_the_cpu_is_the_one_device():
    devices = find_devices(cpu_threads=3, gpu_jobs=8, kept_bytes=0, environment={"CUDA_VISIBLE_DEVICES": ""})
    assert [(d.name, d.kind, d.number, d.threads, d.slots) for d in devices] == [("cpu:0", "cpu", 0, 3, 3)]
    assert 0 < devices[0].memory_bytes <= psutil.virtual_memory().total


def test_the_cpu_lends_nine_tenths_of_the_memory_of_its_control_group(monkeypatch, tmp_path):
    monkeypatch.setattr(cgroup, "_ROOT", tmp_path)
    monkeypatch.setattr(cgroup, "_folders", lambda: iter([tmp_path / "inner", tmp_path]))
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "memory.max").write_text("max\n")
    (tmp_path / "memory.max").write_text("123456789\n")
    assert find_cpu(1).memory_bytes == int(0.9 * 123_456_789)


def test_the_cpu_does_not_lend_what_the_predictor_may_take():
    asked = {"cpu_threads": 1, "gpu_jobs": 8, "environment": {"CUDA_VISIBLE_DEVICES": ""}}
    kept = predictor_bytes(10**8)
    with_it, without = find_devices(kept_bytes=kept, **asked), find_devices(kept_bytes=0, **asked)
    assert kept == 10**8
    assert with_it[0].memory_bytes == without[0].memory_bytes - kept


def test_the_predictor_takes_no_more_than_a_quarter_of_a_small_machine(monkeypatch):
    monkeypatch.setattr("worker.devices.memory_limit_bytes", lambda: 4 * 10**9)
    assert predictor_bytes(2 * 10**9) == int(0.25 * 0.9 * 4 * 10**9)


def test_kills_for_memory_are_counted(monkeypatch, tmp_path):
    monkeypatch.setattr(cgroup, "_folders", lambda: iter([tmp_path]))
    (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\n")
    assert cgroup.oom_kills() == 2


@pytest.mark.parametrize(
    ("visible", "seen"),
    [(None, [0, 1, 2]), ("", []), ("1", [1]), ("0,2", [0, 2]), ("-1", []), ("1,-1,2", [1]), ("GPU-b", [1])],
)
def test_cudas_list_of_visible_gpus_is_respected(visible, seen):
    uuids = ["GPU-aaaa", "GPU-bbbb", "GPU-cccc"]
    assert [n for n, uuid in enumerate(uuids) if is_visible(n, uuid, visible)] == seen
