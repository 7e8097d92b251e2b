"""Opens files of weights: HDF5 as Keras wrote it, older and newer, and PyTorch's older pickle. Nothing in them is run.

HDF5 is read with h5py alone; `keras.models.load_model`, which builds what a file describes, never sees one of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ml.engine.torch_pickle import read_torch_pickle
from ml.networks.layers import Shape
from records.errors import WeightsUnreadable

Arrange = Callable[[NDArray[Any]], NDArray[Any]]
"""Puts a stored array's axes into the order that a layer has."""

TORCH_AXES = ((2, 3, 1, 0), (2, 3, 0, 1), (1, 0), (0,))
"""Convolutions, those of each map by itself, dense layers, and what has one axis."""

_KERAS_3 = "layers"


@dataclass(frozen=True)
class Stored:
    """One array in a file."""

    name: str
    shape: Shape
    read: Callable[[], NDArray[Any]]


@dataclass
class WeightFile:
    """The arrays of a file, in the order in which a network's layers take them."""

    rows: dict[str, list[Stored]]
    """By the kind of layer where the file orders each kind by itself, else all in one row called ``."""
    torch: bool = False
    """Whether axes are in PyTorch's order."""
    pixels: list[Stored] = field(default_factory=list)
    """Mean and deviation of what the network was trained on, if the file has them."""

    def take(self, kinds: Sequence[str], shapes: Sequence[Shape]) -> list[NDArray[Any]] | None:
        """The next arrays, if they are of these shapes; None, and nothing is taken, where they are not."""
        for row in self._rows(kinds):
            found = row[: len(shapes)]
            ways = [arrangement(one.shape, shape, torch=self.torch) for one, shape in zip(found, shapes, strict=False)]
            if len(found) == len(shapes) and all(ways):
                del row[: len(shapes)]
                return [way(one.read()) for one, way in zip(found, ways, strict=True) if way]
        return None

    def next_name(self, kinds: Sequence[str]) -> str:
        """What stands next, for an error."""
        nearest = next((row[0] for row in self._rows(kinds) if row), None)
        return f"{nearest.name} of {nearest.shape}" if nearest else "nothing more"

    @property
    def left(self) -> list[str]:
        """The names of what nobody took."""
        return [one.name for row in self.rows.values() for one in row]

    def _rows(self, kinds: Sequence[str]) -> list[list[Stored]]:
        return [self.rows[kind] for kind in ("", *kinds) if kind in self.rows]


@contextmanager
def open_weights(path: Path) -> Iterator[WeightFile]:
    """The file's arrays; they can be read until the end of the block.

    Raises:
        WeightsUnreadable: the file is of no form that is known here.
    """
    if path.suffix == ".pth":
        yield _torch(path)
        return
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise WeightsUnreadable(f"{path.name} is no HDF5 file: {error}.") from error
    with file:
        if _names(file, "layer_names"):
            yield _keras_2(file, path)
        elif _KERAS_3 in file:
            yield _keras_3([file[_KERAS_3]], path)
        elif parts := [file[name][_KERAS_3] for name in sorted(file) if _KERAS_3 in file[name]]:
            yield _keras_3(parts, path)
        else:
            raise WeightsUnreadable(f"{path.name} is HDF5, but not as Keras writes weights: it names no layers.")


def arrangement(stored: Shape, wanted: Shape, *, torch: bool) -> Arrange | None:
    """How an array of one shape becomes one of another: other axes, or axes of 1 less; None where it does not.

    Keras's files have a convolution of 1 x 1 where a layer here is dense, and one in as many groups as maps where one
    here takes each map by itself.
    """
    if torch:
        fitting = (axes for axes in TORCH_AXES if len(axes) == len(stored))
        axes = next((axes for axes in fitting if tuple(stored[axis] for axis in axes) == wanted), None)
        return (lambda array: array.transpose(axes)) if axes else None
    if stored == wanted:
        return lambda array: array
    if len(stored) == 4 and stored[:2] == (1, 1) and stored[2:] == wanted:
        return lambda array: array.reshape(wanted)
    if len(stored) == 4 and stored[2] == 1 and (*stored[:2], stored[3], 1) == wanted:
        return lambda array: array.transpose(0, 1, 3, 2)
    return None


# ── the forms ────────────────────────────────────────────────────────────────────────────────────────────────


def _torch(path: Path) -> WeightFile:
    arrays = read_torch_pickle(path)
    row = [
        Stored(name, array.shape, lambda array=array: array)
        for name, array in arrays.items()
        if not name.endswith("num_batches_tracked")
    ]
    return WeightFile({"": row}, torch=True)


def _keras_2(file: Any, path: Path) -> WeightFile:
    """The layers in order, and each layer's arrays in order; a nested model counts as one layer."""
    row: list[Stored] = []
    pixels: list[Stored] = []
    for layer in _names(file, "layer_names"):
        group = _member(file, layer, path)
        stored = [_stored(_member(group, name, path), name, path) for name in _names(group, "weight_names")]
        (pixels if layer.startswith("normalization") else row).extend(stored)
    return WeightFile({"": row}, pixels=pixels)


def _keras_3(parts: Sequence[Any], path: Path) -> WeightFile:
    """The layers by their class, `conv2d`, `conv2d_1` …, counted in the order of the model.

    A model of several models has such a list for each, and what stands beside them is no layer of a network known here.
    """
    rows: dict[str, list[Stored]] = {}
    for part in parts:
        for name in sorted(part, key=_number):
            values = _member(_member(part, name, path), "vars", path)
            kind = name.removesuffix(f"_{_number(name)}")
            stored = [_stored(_member(values, key, path), f"{name}/{key}", path) for key in sorted(values, key=int)]
            rows.setdefault(kind, []).extend(stored)
    return WeightFile(rows, pixels=rows.pop("normalization", []))


def _number(name: str) -> int:
    found = re.search(r"_(\d+)$", name)
    return int(found[1]) if found else 0


def _names(group: Any, attribute: str) -> list[str]:
    """A list of names, which Keras cuts into several attributes where it is long; empty where there is none."""
    parts = (f"{attribute}{number}" for number in count())
    kept = [attribute] if attribute in group.attrs else takewhile(group.attrs.__contains__, parts)
    names = [name for part in kept for name in group.attrs[part]]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _member(group: Any, name: str, path: Path) -> Any:
    """What a group holds under a name; links that lead out of the file are refused."""
    here = group
    for part in name.split("/"):
        if part not in here or not isinstance(here.get(part, getlink=True), h5py.HardLink):
            raise WeightsUnreadable(f"{path.name} names {name!r} in {group.name} but does not hold it.")
        here = here[part]
    return here


def _stored(dataset: Any, name: str, path: Path) -> Stored:
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
        raise WeightsUnreadable(f"Expected numbers under {name!r} in {path.name}, got {dataset}.")
    if dataset.external or dataset.is_virtual:
        raise WeightsUnreadable(f"{name!r} in {path.name} lies in another file. Weights must hold all their numbers.")

    def read() -> NDArray[Any]:
        array: NDArray[Any] = np.asarray(dataset[()], np.float32)
        return array

    return Stored(name, tuple(dataset.shape), read)
