"""What can be wrong with a network, as one kind of error with the place of the fault."""

from __future__ import annotations

from records.errors import TrainyardError


class NetworkError(TrainyardError):
    """Raised when a network's name, options or layers make no network for these images.

    `path` is dotted, as it stands in a spec: `network.name`, `network.options.activation`, `network.layers.c3`.
    """

    code = "invalid_network"

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path = path


class InputTooSmall(NetworkError):
    """Raised when a layer's window is larger than what reaches it: a larger image would do."""


class ShapeError(ValueError):
    """Raised by a layer that cannot take these shapes; the graph adds the layer's name and makes it a NetworkError."""


class WindowTooLarge(ShapeError):
    """Raised by a layer whose window does not fit into its input."""
