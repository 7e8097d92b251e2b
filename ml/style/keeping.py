"""Keeps a painting's checkpoints: when to write one, and how to go on from one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ml.engine.checkpoint import read_checkpoint, write_checkpoint
from ml.engine.keeper import KEPT, check_identity
from ml.reporter import Interruption, Reporter
from ml.style.state import PaintingState


class PaintingKeeper:
    """Writes checkpoints of a painting into a folder, and announces them.

    Args:
        folder: where `checkpoint-<step>.npz` goes; the last two are kept.
        identity: what must be the same for the painting to go on exactly, as flat JSON.
        reporter: hears of each finished checkpoint, and knows whether to stop.
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

    def keep(self, now: Callable[[], PaintingState]) -> None:
        """Write a checkpoint if the last one is old enough, or it is time to stop.

        Args:
            now: gives the state; called only when it is to be written.

        Raises:
            Interruption: it is time to stop; the checkpoint is written.
            DiskFull: there is no room; the checkpoint before is still there.
        """
        stopping = self._reporter.should_stop
        if not stopping and self._clock() - self._written_at < self._every_s:
            return
        state = now()
        self._save(state)
        if stopping:
            raise Interruption(state.step)

    def restore(self, path: Path) -> PaintingState:
        """The state in a checkpoint.

        Raises:
            ResumeImpossible: the file is damaged, or of another painting.
        """
        arrays, meta = read_checkpoint(path)
        check_identity(meta["identity"], self._identity, path)
        return PaintingState.from_parts(arrays, meta["state"])

    def _save(self, state: PaintingState) -> None:
        path = self._folder / f"checkpoint-{state.step}.npz"
        arrays, plain = state.to_parts()
        write_checkpoint(path, arrays, {"identity": self._identity, "state": plain})
        self._written_at = self._clock()
        self._reporter.checkpoint(path, state.step)
        self._written = [*(old for old in self._written if old != path), path]
        while len(self._written) > KEPT:
            self._written.pop(0).unlink(missing_ok=True)
