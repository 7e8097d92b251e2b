"""Files as `torch.save` wrote them before version 1.6, for tests: made by hand, pickle code by pickle code."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001


def write_torch_file(path: Path, arrays: Mapping[str, np.ndarray], *, extra: bytes = b"") -> Path:
    """Arrays of float32 as a state dict; `extra` is pickle code that comes before its end."""
    entries = b"".join(_text(name) + _tensor(f"s{i}", array) for i, (name, array) in enumerate(arrays.items()))
    state = b"\x80\x02" + _name("collections", "OrderedDict") + b")R(" + entries + b"u" + extra + b"."
    keys = [f"s{i}" for i in range(len(arrays))]
    storages = b"".join(struct.pack("<q", array.size) + array.astype("<f4").tobytes() for array in arrays.values())
    head = b"".join(pickle.dumps(part, 2) for part in (MAGIC, VERSION, {"little_endian": True}))
    path.write_bytes(head + state + pickle.dumps(keys, 2) + storages)
    return path


def _tensor(key: str, array: np.ndarray) -> bytes:
    strides = [stride // array.itemsize for stride in np.array(array, order="C").strides]
    storage = b"(" + _text("storage") + _name("torch", "FloatStorage") + _text(key) + _text("cpu")
    storage += _number(array.size) + b"NtQ"
    rest = _number(0) + _tuple(array.shape) + _tuple(strides) + b"\x89" + _name("collections", "OrderedDict") + b")R"
    return _name("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + rest + b"tR"


def _name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _tuple(values) -> bytes:
    return b"(" + b"".join(map(_number, values)) + b"t"
