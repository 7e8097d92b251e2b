"""How every chart looks: a figure of its own on the Agg canvas, with quiet axes. Never pyplot with its global state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

INK = "#212529"
FAINT = "#868e96"
GRID = "#e9ecef"
BLUE = "#1c7ed6"
ORANGE = "#e8590c"
GREEN = "#2f9e44"

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.edgecolor": "#adb5bd",
    "axes.labelcolor": FAINT,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "legend.frameon": False,
    "text.parse_math": False,
}
"""Class names are shown as they are: a dollar sign in one begins no formula."""


@contextmanager
def picture(path: Path, *, width_inches: float, height_inches: float, dpi: int = 120) -> Iterator[Any]:
    """A new matplotlib figure, written to `path` as PNG when the block ends without an error."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with rc_context(_STYLE):
        layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
        figure = Figure(figsize=(width_inches, height_inches), dpi=dpi, layout=layout, facecolor="white")
        FigureCanvasAgg(figure)
        yield figure
        figure.savefig(path, format="png")


def cut(text: str, limit: int) -> str:
    """The text, cut with an ellipsis where it has more than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
