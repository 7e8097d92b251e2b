"""What an inspection finds, and the look-ups that several kinds share. Never imports Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from records.errors import FieldProblem, InvalidSpec, NotFound
from records.inputs import DatasetInput, Input, PictureInput
from records.library import DatasetCard, Library

if TYPE_CHECKING:
    from ml.estimates import Cost
    from ml.estimates.painting import PaintingCost


@dataclass(frozen=True)
class Inspection:
    """What a spec is known to mean before anything runs."""

    parameters: int = 0
    """Parameters of the network, trainable or not."""
    inputs: Mapping[str, Input] = field(default_factory=dict)
    """What to stage before the attempt, by role: `{"dataset": DatasetInput("mnist")}`."""
    pins: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the spec whose values could mean something else tomorrow, with what they mean for good."""
    cost: Cost | PaintingCost | None = None
    """What it would cost, found when asked for; None where a kind has no estimate."""
    demand: Mapping[str, Mapping[str, int]] | None = None
    """Where there is no cost: what it asks of a device, by kind, as `ml.estimates.demand_of` has it."""

    @property
    def needs(self) -> Mapping[str, Mapping[str, int]] | None:
        """What a job asks of a device, by kind of device; None asks for a whole one."""
        if self.cost is None:
            return self.demand
        from ml.estimates import demand_of

        return demand_of(self.cost.estimate.peaks, beside_bytes=self.cost.beside_bytes)

    @property
    def threads(self) -> int | None:
        """Processor threads that do the job good on a CPU device; None for all that there are."""
        if self.cost is None:
            return None if self.demand is None else 1
        from ml.estimates import useful_threads

        return useful_threads(self.cost.estimate.multiply_adds_step)

    @property
    def datasets(self) -> list[str]:
        """The datasets among the inputs, by their pinned references."""
        return [wanted.ref for wanted in self.inputs.values() if isinstance(wanted, DatasetInput)]

    @property
    def pictures(self) -> list[int]:
        """The uploaded pictures among the inputs."""
        return [wanted.picture_id for wanted in self.inputs.values() if isinstance(wanted, PictureInput)]


def find_in(library: Library, ref: str, *, path: str = "dataset") -> DatasetCard:
    """A dataset that a spec refers to.

    Raises:
        InvalidSpec: the library has none of that name; the problem stands at `path`.
    """
    try:
        return library.dataset(ref)
    except NotFound as error:
        raise InvalidSpec([FieldProblem(path, error.text)]) from error
