"""The checkpoints of one attempt in its folder: when the next is due, and which stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ml.engine.checkpoint import read_checkpoint, write_checkpoint
from ml.reporter import Reporter
from records.errors import ResumeImpossible, shorten

KEPT = 2
"""Checkpoints of this attempt that stay in the folder."""


class CheckpointFolder:
    """Writes checkpoints, announces them, and remembers what they must be of.

    Args:
        folder: where `checkpoint-<step>.npz` goes; the last two are kept.
        identity: what must be the same for the work to go on exactly, as flat JSON.
        reporter: hears of each finished checkpoint.
        every_s: least time between checkpoints, in seconds.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        identity: Mapping[str, Any],
        reporter: Reporter,
        every_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._identity = dict(identity)
        self._reporter = reporter
        self._every_s = every_s
        self._clock = clock
        self._written_at = clock()
        self._written: list[Path] = []

    @property
    def is_due(self) -> bool:
        """Whether the last checkpoint is old enough for another."""
        return self._clock() - self._written_at >= self._every_s

    def write(self, step: int, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> None:
        """Write a checkpoint, announce it, and remove all but the last two.

        Raises:
            DiskFull: there is no room; the checkpoint before is still there.
        """
        path = self._folder / f"checkpoint-{step}.npz"
        write_checkpoint(path, arrays, {"identity": self._identity, "state": state})
        self._written_at = self._clock()
        self._reporter.checkpoint(path, step)
        self._written = [*(old for old in self._written if old != path), path]
        while len(self._written) > KEPT:
            self._written.pop(0).unlink(missing_ok=True)

    def read(self, path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """The arrays and the state in a checkpoint.

        Raises:
            ResumeImpossible: the file is damaged, or was written for other things than are asked for now.
        """
        arrays, meta = read_checkpoint(path)
        self._check_identity(meta["identity"], path)
        return arrays, meta["state"]

    def _check_identity(self, saved: Mapping[str, Any], path: Path) -> None:
        for name in sorted({*saved, *self._identity}):
            if saved.get(name) != self._identity.get(name):
                raise ResumeImpossible(
                    f"Expected a checkpoint with {name} = {shorten(self._identity.get(name))}, but {path.name} was "
                    f"written with {shorten(saved.get(name))}. Ask for the same again, or start the job anew."
                )
