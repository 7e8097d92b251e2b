"""What a job's `run.json` says of its model. Never imports Keras."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ml.sizing import SHOWN
from records.catalogue import CATALOGUE
from records.errors import ModelUnreadable, TrainyardError
from records.specs import Spec, parse_spec


@dataclass(frozen=True)
class Record:
    """All that a model is built from, but for its numbers."""

    spec: Spec
    classes: tuple[str, ...]
    """In the order of the model's outputs."""
    image_shape: tuple[int, int, int]
    """Height, width, channels of what the model takes."""

    @property
    def shown(self) -> float:
        """Share of a picture's shorter side that the model sees: all of it where it learned images of one size."""
        return 1.0 if getattr(self.spec, "dataset", "") in CATALOGUE else SHOWN


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises:
        ModelUnreadable: it does not say what is needed.
    """
    try:
        said = json.loads(path.read_bytes())
        height, width, channels = said["image_shape"]
        return Record(parse_spec(said["spec"], test_kinds=True), tuple(said["classes"]), (height, width, channels))
    except (OSError, ValueError, KeyError, TypeError, TrainyardError) as error:
        raise ModelUnreadable(
            f"Expected the spec, the classes and the image_shape of a training in {path.name}, got: {error!r:.200}. "
            "An earlier version of Trainyard wrote less into it; train the model again."
        ) from error
