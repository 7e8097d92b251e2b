"""Turns Keras's `mnist.npz` into the four plain IDX files, without numpy: the parent process stays small.

An `.npz` is a zip of `.npy` files; format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import ast
import struct
import zipfile
from pathlib import Path
from typing import IO

from records.catalogue import IDX_NAMES

_ARRAYS = ("x_train", "y_train", "x_test", "y_test")
_UINT8 = 0x08


def write_idx_files(archive: Path, folder: Path) -> None:
    """Write the four files with the names of `IDX_NAMES`.

    Raises:
        ValueError, KeyError, zipfile.BadZipFile: the archive does not hold four arrays of uint8 in C order.
    """
    with zipfile.ZipFile(archive) as packed:
        for array, name in zip(_ARRAYS, IDX_NAMES, strict=True):
            with packed.open(f"{array}.npy") as source, (folder / name).open("wb") as target:
                shape = _read_header(source)
                target.write(bytes([0, 0, _UINT8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape))
                while chunk := source.read(1 << 20):
                    target.write(chunk)


def _read_header(source: IO[bytes]) -> tuple[int, ...]:
    magic, major = source.read(6), source.read(2)[0]
    if magic != b"\x93NUMPY" or major not in (1, 2, 3):
        raise ValueError("expected a .npy file")
    (length,) = struct.unpack("<H", source.read(2)) if major == 1 else struct.unpack("<I", source.read(4))
    header = ast.literal_eval(source.read(length).decode("latin1"))
    if header["descr"] != "|u1" or header["fortran_order"]:
        raise ValueError(f"expected uint8 in C order, got {header['descr']}")
    return tuple(int(n) for n in header["shape"])
