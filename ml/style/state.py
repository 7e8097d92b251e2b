"""All that a style transfer has to remember to go on exactly from here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.engine.state import Arrays, denumber, number


@dataclass
class PaintingState:
    """Where the picture stands. Plain data."""

    level: int = 0
    """The size under way, from 0, the coarsest."""
    position: int = 0
    """Steps done on it."""
    step: int = 0
    """Steps done on all sizes."""
    painter: list[NDArray[np.generic]] = field(default_factory=list)
    """The image of the size under way, then its optimizer's variables; empty before its first step."""
    frames: list[bytes] = field(default_factory=list)
    """Small pictures of how it came to be, as JPEG, for the time-lapse."""
    points: list[tuple[str, int, float, float]] = field(default_factory=list)
    """All metric points so far: name, step, value, seconds since 1970."""

    def to_parts(self) -> tuple[Arrays, dict[str, Any]]:
        """As arrays and JSON, for a checkpoint."""
        arrays = number("painter", self.painter)
        arrays |= number("frame", [np.frombuffer(frame, np.uint8) for frame in self.frames])
        plain = {name: getattr(self, name) for name in ("level", "position", "step", "points")}
        return arrays, plain

    @classmethod
    def from_parts(cls, arrays: Arrays, plain: dict[str, Any]) -> PaintingState:
        """The state that `to_parts` took apart."""
        frames = [frame.tobytes() for frame in denumber("frame", arrays)]
        points = [tuple(point) for point in plain["points"]]
        return cls(**plain | {"points": points}, painter=denumber("painter", arrays), frames=frames)
