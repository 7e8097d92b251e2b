"""Keeps a painting's checkpoints: when to write one, and how to go on from one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ml.engine.checkpoint_folder import CheckpointFolder
from ml.reporter import Interruption, Reporter
from ml.style.state import PaintingState


class PaintingKeeper:
    """Writes checkpoints of a painting, and reads one back.

    Args:
        files: where they go.
        reporter: knows whether to stop.
    """

    def __init__(self, files: CheckpointFolder, reporter: Reporter) -> None:
        self._files, self._reporter = files, reporter

    def keep(self, now: Callable[[], PaintingState]) -> None:
        """Write a checkpoint if the last one is old enough, or it is time to stop.

        Args:
            now: gives the state; called only when it is to be written.

        Raises:
            Interruption: it is time to stop; the checkpoint is written.
            DiskFull: there is no room; the checkpoint before is still there.
        """
        stopping = self._reporter.should_stop
        if not stopping and not self._files.is_due:
            return
        state = now()
        self._files.write(state.step, *state.to_parts())
        if stopping:
            raise Interruption(state.step)

    def restore(self, path: Path) -> PaintingState:
        """The state in a checkpoint.

        Raises:
            ResumeImpossible: the file is damaged, or of another painting.
        """
        return PaintingState.from_parts(*self._files.read(path))
