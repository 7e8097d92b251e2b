"""What can be wrong with a network, as one kind of error with the place of the fault."""

from __future__ import annotations

from collections.abc import Sequence

from records.errors import FieldProblem, TrainyardError


class NetworkError(TrainyardError):
    """Raised when a network's name, options or layers make no network for these images.

    `path` is dotted, as it stands in a spec: `network.name`, `network.options.activation`, `network.layers.c3`.
    """

    code = "invalid_network"

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path = path
        self.problems: tuple[FieldProblem, ...] = (FieldProblem(path, text),)
        """Everything that was found wrong, this first."""


class InvalidLayers(NetworkError):
    """Raised when layers that somebody sent make no network; tells every problem that was found."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(problems[0].path, "; ".join(f"{problem.path}: {problem.text}" for problem in problems))
        self.problems = tuple(problems)


class InputTooSmall(NetworkError):
    """Raised when a layer's window is larger than what reaches it: a larger image would do."""


class ShapeError(ValueError):
    """Raised by a layer that cannot take these shapes; the graph adds the layer's name and makes it a NetworkError."""


class WindowTooLarge(ShapeError):
    """Raised by a layer whose window does not fit into its input."""
