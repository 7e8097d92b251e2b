"""Keeps a training's checkpoints: when to write one, what belongs in it, and how to go on from one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from numpy.typing import NDArray

from ml.engine.checkpoint_folder import CheckpointFolder
from ml.engine.state import TrainingState, denumber, number
from ml.reporter import Interruption, Reporter
from records.errors import ResumeImpossible


class CheckpointKeeper:
    """Writes checkpoints of one model and its optimizers into a folder, and announces them.

    Args:
        folder: where `checkpoint-<step>.npz` goes; the last two are kept.
        model: all its variables are saved, those of random generators too.
        optimizers: built for the model.
        average: variables of an average of the model's weights, where there is one.
        beside: other variables that are saved; they are left as they are where a checkpoint has none of them, which an
            attempt wrote that needed none.
        identity: what must be the same for training to go on exactly, as flat JSON.
        reporter: hears of each finished checkpoint, and knows whether to stop.
        every_s: least time between checkpoints within an epoch, in seconds.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        model: keras.Model,
        optimizers: Sequence[keras.optimizers.Optimizer],
        average: Sequence[keras.Variable] = (),
        identity: Mapping[str, Any],
        reporter: Reporter,
        every_s: float,
        clock: Callable[[], float],
        beside: Sequence[Any] = (),
    ) -> None:
        self._groups: dict[str, Sequence[keras.Variable]] = {
            "model": model.variables,
            "optimizer": [variable for optimizer in optimizers for variable in optimizer.variables],
            "average": average,
        }
        self._beside = list(beside)
        self._reporter = reporter
        self._files = CheckpointFolder(folder, identity=identity, reporter=reporter, every_s=every_s, clock=clock)

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint, announce it, and remove all but the last two.

        Raises:
            DiskFull: there is no room; the checkpoint before is still there.
        """
        arrays, plain = state.to_parts()
        for group, variables in self._groups.items():
            arrays |= number(group, [variable.numpy() for variable in variables])
        arrays |= number("beside", [variable.numpy() for variable in self._beside])
        self._files.write(state.step, arrays, plain)

    def save_if_due(self, state: TrainingState) -> None:
        """Write a checkpoint if the last one is old enough."""
        if self._files.is_due:
            self.save(state)

    def stop_if_asked(self, state: TrainingState) -> None:
        """Write a checkpoint and raise Interruption if the reporter says that it is time to stop."""
        if self._reporter.should_stop:
            self.save(state)
            raise Interruption(state.step)

    def restore(self, path: Path) -> TrainingState:
        """Put all variables back and return the state that belongs to them.

        Raises:
            ResumeImpossible: the file is damaged, or of another training.
        """
        arrays, plain = self._files.read(path)
        for group, variables in self._groups.items():
            _assign(variables, denumber(group, arrays), path)
        beside = denumber("beside", arrays)
        if beside and self._beside:
            _assign(self._beside, beside, path)
        return TrainingState.from_parts(arrays, plain)


def _assign(variables: Sequence[keras.Variable], arrays: Sequence[NDArray[Any]], path: Path) -> None:
    wanted = [(tuple(variable.shape), str(variable.dtype)) for variable in variables]
    saved = [(array.shape, str(array.dtype)) for array in arrays]
    if wanted != saved:
        raise ResumeImpossible(
            f"Expected {len(wanted)} variables of the shapes and types of this network in {path.name}, got "
            f"{len(saved)}, or others. The code of the network has changed: start the job anew."
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
