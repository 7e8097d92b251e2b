"""Keeps a training's checkpoints: when to write one, what belongs in it, and how to go on from one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from numpy.typing import NDArray

from ml.engine.checkpoint import read_checkpoint, write_checkpoint
from ml.engine.state import TrainingState, denumber, number
from ml.reporter import Interruption, Reporter
from records.errors import ResumeImpossible, shorten

KEPT = 2
"""Checkpoints of this attempt that stay in the folder."""


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
        self._folder = folder
        self._groups: dict[str, Sequence[keras.Variable]] = {
            "model": model.variables,
            "optimizer": [variable for optimizer in optimizers for variable in optimizer.variables],
            "average": average,
        }
        self._beside = list(beside)
        self._identity = dict(identity)
        self._reporter = reporter
        self._every_s = every_s
        self._clock = clock
        self._written_at = clock()
        self._written: list[Path] = []

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint, announce it, and remove all but the last two.

        Raises:
            DiskFull: there is no room; the checkpoint before is still there.
        """
        path = self._folder / f"checkpoint-{state.step}.npz"
        arrays, plain = state.to_parts()
        for group, variables in self._groups.items():
            arrays |= number(group, [variable.numpy() for variable in variables])
        arrays |= number("beside", [variable.numpy() for variable in self._beside])
        write_checkpoint(path, arrays, {"identity": self._identity, "state": plain})
        self._written_at = self._clock()
        self._reporter.checkpoint(path, state.step)
        self._written = [*(old for old in self._written if old != path), path]
        while len(self._written) > KEPT:
            self._written.pop(0).unlink(missing_ok=True)

    def save_if_due(self, state: TrainingState) -> None:
        """Write a checkpoint if the last one is old enough."""
        if self._clock() - self._written_at >= self._every_s:
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
        arrays, meta = read_checkpoint(path)
        check_identity(meta["identity"], self._identity, path)
        for group, variables in self._groups.items():
            _assign(variables, denumber(group, arrays), path)
        beside = denumber("beside", arrays)
        if beside and self._beside:
            _assign(self._beside, beside, path)
        return TrainingState.from_parts(arrays, meta["state"])


def check_identity(saved: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> None:
    """Raises ResumeImpossible where a checkpoint was written for other things than are asked for now."""
    for name in sorted({*saved, *wanted}):
        if saved.get(name) != wanted.get(name):
            raise ResumeImpossible(
                f"Expected a checkpoint with {name} = {shorten(wanted.get(name))}, but {path.name} was written with "
                f"{shorten(saved.get(name))}. Ask for the same again, or start the job anew."
            )


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
