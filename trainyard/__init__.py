"""The user's side: the command line, a Python client, and `trainyard up`, which runs the whole yard on one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainyard.client import Client

    __version__: str

__all__ = ["Client", "__version__"]


def __getattr__(name: str) -> Any:
    """`trainyard.Client` and `trainyard.__version__`, loaded when asked for: the command line starts faster."""
    if name == "Client":
        from trainyard.client import Client

        return Client
    if name == "__version__":
        from importlib.metadata import version

        return version("trainyard")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
