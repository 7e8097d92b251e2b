"""Past or invented queues, played through `records.placing.place` with a simulated clock. No SQL, no chance."""

from records.replay.compare import POLICIES, Comparison, compare
from records.replay.example import class_load
from records.replay.measures import Figures, measure
from records.replay.simulate import Played, play
from records.replay.trace import Entry, read_trace, write_trace

__all__ = [
    "POLICIES",
    "Comparison",
    "Entry",
    "Figures",
    "Played",
    "class_load",
    "compare",
    "measure",
    "play",
    "read_trace",
    "write_trace",
]
