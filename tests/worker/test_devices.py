"""What a machine can lend."""

from __future__ import annotations

import psutil
import pytest

from worker import cgroup
from worker.devices import find_cpu, find_devices, is_visible


def test_without_gpus_the_cpu_is_the_one_device():
    devices = find_devices(cpu_threads=3, gpu_jobs=8, environment={"CUDA_VISIBLE_DEVICES": ""})
    assert [(d.name, d.kind, d.number, d.threads, d.slots) for d in devices] == [("cpu:0", "cpu", 0, 3, 3)]
    assert 0 < devices[0].memory_bytes <= psutil.virtual_memory().total


def test_the_cpu_lends_nine_tenths_of_the_memory_of_its_control_group(monkeypatch, tmp_path):
    monkeypatch.setattr(cgroup, "_ROOT", tmp_path)
    monkeypatch.setattr(cgroup, "_folders", lambda: iter([tmp_path / "inner", tmp_path]))
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "memory.max").write_text("max\n")
    (tmp_path / "memory.max").write_text("123456789\n")
    assert find_cpu(1).memory_bytes == int(0.9 * 123_456_789)


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
