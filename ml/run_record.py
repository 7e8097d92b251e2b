"""What a run's `run.json` says of the classifier that it trained. Never imports Keras."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.networks import Network, NetworkError, draw_network
from ml.sizing import SHOWN
from records.catalogue import CATALOGUE
from records.errors import ModelUnreadable, TrainyardError
from records.specs import Spec, TrainSpec, parse_spec


@dataclass(frozen=True)
class Record:
    """All that a model is built from, but for its numbers."""

    spec: Spec
    classes: tuple[str, ...]
    """In the order of the model's outputs."""
    image_shape: tuple[int, int, int]
    """Height, width, channels of what the model takes."""
    kept_network: Mapping[str, Any] | None = None
    """The network as data, where the spec alone does not say it: that of a fine-tuning."""

    @property
    def shown(self) -> float:
        """Share of a picture's shorter side that the model sees: all of it where it learned images of one size."""
        return 1.0 if getattr(self.spec, "dataset", "") in CATALOGUE else SHOWN

    def draw(self) -> Network:
        """The network as it was trained, without auxiliary heads.

        Raises:
            ModelUnreadable: the run trained no classifier, or its network cannot be drawn any more.
        """
        try:
            if self.kept_network is not None:
                return Network.from_json(self.kept_network)
            if isinstance(self.spec, TrainSpec):
                return draw_network(self.spec.network, self.image_shape, len(self.classes)).main
        except NetworkError as error:
            raise ModelUnreadable(f"The network of this run cannot be drawn any more: {error.text}") from error
        raise ModelUnreadable(f"Expected the record of a trained classifier, got one of kind {self.spec.kind!r}.")


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises:
        ModelUnreadable: it does not say what is needed.
    """
    try:
        said = json.loads(path.read_bytes())
        spec = parse_spec(said["spec"], test_kinds=True)
        height, width, channels = said["image_shape"]
        return Record(spec, tuple(said["classes"]), (height, width, channels), said.get("network"))
    except (OSError, ValueError, KeyError, TypeError, TrainyardError) as error:
        raise ModelUnreadable(
            f"Expected the spec, the classes and the image_shape of a training in {path.name}, got: {error!r:.200}. "
            "An earlier version of Trainyard wrote less into it; train the model again."
        ) from error
