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
    painted_s: float = 0.0
    """Time spent in steps, over all attempts."""
    painter: list[NDArray[np.generic]] = field(default_factory=list)
    """The image of the size under way, then its optimizer's variables."""
    frames: list[bytes] = field(default_factory=list)
    """Small pictures of how it came to be, as JPEG, for the time-lapse."""

    def to_parts(self) -> tuple[Arrays, dict[str, Any]]:
        """As arrays and JSON, for a checkpoint."""
        arrays = number("painter", self.painter)
        arrays |= number("frame", [np.frombuffer(frame, np.uint8) for frame in self.frames])
        return arrays, {name: getattr(self, name) for name in _PLAIN}

    @classmethod
    def from_parts(cls, arrays: Arrays, plain: dict[str, Any]) -> PaintingState:
        """The state that `to_parts` took apart."""
        frames = [frame.tobytes() for frame in denumber("frame", arrays)]
        return cls(**plain, painter=denumber("painter", arrays), frames=frames)


_PLAIN = ("level", "position", "step", "painted_s")
