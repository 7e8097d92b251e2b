"""PyTorch's older files, read without PyTorch: their arrays, and nothing that they would like to have done."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from ml.engine.torch_pickle import read_torch_pickle
from records.errors import WeightsUnreadable
from tests.ml.engine.torch_files import MAGIC, VERSION, write_torch_file


def some(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_arrays_come_by_name_and_in_order(tmp_path):
    arrays = {"conv.weight": some(4, 3, 2, 2), "conv.bias": some(4), "scalar": some(1)[0]}
    found = read_torch_pickle(write_torch_file(tmp_path / "a.pth", arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


class Evil:
    """Writes a file when it is unpickled by somebody who lets it."""

    def __init__(self, call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("subprocess", "Popen"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_parameter"),
        ("collections", "defaultdict"),
        ("numpy", "fromfile"),
        ("ml.engine.torch_pickle", "read_torch_pickle"),
    ],
)
def test_whatever_else_a_pickle_names_is_refused(tmp_path, module, name):
    path = write_torch_file(tmp_path / "evil.pth", {"w": some(2)}, extra=f"c{module}\n{name}\n0".encode())
    with pytest.raises(WeightsUnreadable, match=f"it names {module}.{name}, which no array needs"):
        read_torch_pickle(path)


@pytest.mark.parametrize("place", range(5))
def test_a_pickle_that_would_run_something_runs_nothing_wherever_it_stands(tmp_path, place):
    mark = tmp_path / "it ran"
    evil = pickle.dumps(Evil((Path.touch, (mark,))), 2)
    parts = [pickle.dumps(part, 2) for part in (MAGIC, VERSION, {"little_endian": True})]
    whole = write_torch_file(tmp_path / "good.pth", {}).read_bytes()
    state = whole[sum(map(len, parts)) :].removesuffix(pickle.dumps([], 2))
    parts += [state, pickle.dumps([], 2)]
    parts[place] = evil
    path = tmp_path / "evil.pth"
    path.write_bytes(b"".join(parts))
    with pytest.raises(WeightsUnreadable):
        read_torch_pickle(path)
    assert not mark.exists()
    pickle.loads(evil)
    assert mark.exists(), "the pickle is one that runs where it is let"


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:10],
        lambda data: data[:-3],
        lambda data: b"PK" + data,
        lambda data: b"",
        lambda data: data.replace(b"FloatStorage", b"HalfStorage", 1),
        lambda data: data.replace(b"storage", b"stirage", 1),
        lambda data: data.replace(b"J\x04\x00\x00\x00", b"J\xff\xff\xff\x7f"),
        lambda data: data.replace(b"J\x02\x00\x00\x00", b"J\x09\x00\x00\x00"),
        lambda data: data.replace(b"J\x02\x00\x00\x00", b"J\xfe\xff\xff\xff"),
        lambda data: data.replace(b"little_endian", b"little_Endian"),
    ],
)
def test_a_file_that_is_damaged_or_another_is_refused(tmp_path, change):
    path = write_torch_file(tmp_path / "a.pth", {"w": some(2, 2)})
    data = path.read_bytes()
    assert change(data) != data
    path.write_bytes(change(data))
    with pytest.raises(WeightsUnreadable, match=r"a\.pth is no file of weights of PyTorch's older form"):
        read_torch_pickle(path)
