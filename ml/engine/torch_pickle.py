"""Reads the arrays of a file that `torch.save` wrote before version 1.6, without PyTorch and without running anything.

Such a file is four pickles (a magic number, a version, facts of the machine, the object), then a list of storages and
their bytes. A pickle can name any function of any module and have it called; here it can name four things, none of
which does more than put arrays together, and whatever else it names is refused.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from records.errors import WeightsUnreadable

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_MOST_AXES = 8


@dataclass(frozen=True, slots=True)
class _Storage:
    """Numbers in a row, to be read after the pickle."""

    key: str
    dtype: np.dtype[Any]
    length: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In numbers, not in bytes."""


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}
"""All that a pickle may name, and what it gets. A dtype cannot be called; the others only put together."""


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What stands in `ALLOWED`, and nothing else."""
        try:
            return ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no array needs") from None

    def persistent_load(self, pid: Any) -> _Storage:
        """A storage, by `("storage", type, key, device, length, view)`."""
        kind, dtype, key, _, length, *view = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or view not in ([], [None]):
            raise pickle.UnpicklingError("a storage is of a kind that is not known here")
        return self.storages.setdefault(str(key), _Storage(str(key), dtype, int(length)))


def read_torch_pickle(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a state dict, by name, in its order; axes as PyTorch has them.

    Raises:
        WeightsUnreadable: it is no such file, or names anything but arrays.
    """
    try:
        with path.open("rb") as file:
            _check_head(file)
            unpickler = _Unpickler(file)
            tensors = unpickler.load()
            if not isinstance(tensors, OrderedDict):
                raise pickle.UnpicklingError("it holds no state dict")
            keys = _Unpickler(file).load()
            left = path.stat().st_size - file.tell()
            numbers = {key: _read_storage(file, unpickler.storages[key], most_bytes=left) for key in keys}
        return {str(name): _view(tensor, numbers) for name, tensor in tensors.items()}
    except _NOT_ONE as error:
        raise WeightsUnreadable(f"{path.name} is no file of weights of PyTorch's older form: {error}.") from error


_NOT_ONE = (pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError, OverflowError)
"""What comes of bytes that are not what they should be."""


def _check_head(file: BinaryIO) -> None:
    magic, version, machine = (_Unpickler(file).load() for _ in range(3))
    if magic != _MAGIC or version != _VERSION or machine["little_endian"] is not True:
        raise pickle.UnpicklingError("its beginning is another")


def _read_storage(file: BinaryIO, storage: _Storage, *, most_bytes: int) -> NDArray[Any]:
    """A length in 8 bytes, then so many numbers."""
    length = int.from_bytes(file.read(8), "little")
    if length != storage.length or length * storage.dtype.itemsize > most_bytes:
        raise pickle.UnpicklingError(f"a storage has {length} numbers, where {storage.length} were announced")
    return np.frombuffer(file.read(length * storage.dtype.itemsize), storage.dtype, length)


def _view(tensor: _Tensor, numbers: dict[str, NDArray[Any]]) -> NDArray[Any]:
    row = numbers[tensor.storage.key]
    if len(tensor.shape) != len(tensor.strides) or len(tensor.shape) > _MOST_AXES:
        raise pickle.UnpicklingError("a tensor's axes make no sense")
    if min((tensor.offset, *tensor.shape, *tensor.strides), default=0) < 0:
        raise pickle.UnpicklingError("a tensor's shape makes no sense")
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if last >= len(row):
        raise pickle.UnpicklingError("a tensor reaches past its storage")
    strides = tuple(stride * row.itemsize for stride in tensor.strides)
    return as_strided(row[tensor.offset :], tensor.shape, strides, writeable=False).copy()
