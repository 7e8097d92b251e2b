"""What the optimizer makes and throws away while it updates an array of weights."""

from __future__ import annotations

from ml.estimates.lifetimes import Size
from ml.estimates.script import Script
from ml.networks import Node

LEAST_UPDATED_BYTES = 16 * 1024
"""What comes and goes while smaller arrays are updated is left out."""


def write_updates(script: Script, node: Node) -> None:
    """What the optimizer does with the gradients of a layer's weights, each as soon as it is there.

    The weights are changed in place; in a copy where somebody has still to read them, as the gradient of the layer's
    input does.
    """
    for index, size in enumerate(script.kernels(node)):
        if size.fixed >= LEAST_UPDATED_BYTES:
            _UPDATES[script.plan.optimizer](script, f"{node.name}/d{index}", f"{node.name}/w{index}", size)


def write_decay(script: Script, node: Node) -> None:
    """AdamW's decay makes new weights at the beginning of the step; the old ones stay until they have been read."""
    for index, size in enumerate(script.kernels(node)):
        if size.fixed >= LEAST_UPDATED_BYTES:
            weights = f"{node.name}/w{index}"
            script.add(f"{weights}/decayed", updates=weights)


def _descend(script: Script, gradient: str, weights: str, size: Size) -> None:
    """Gradient times rate, in the gradient's memory, and off the weights."""
    script.add(f"{gradient}/step", reads=(gradient,), updates=weights)


def _descend_with_momentum(script: Script, gradient: str, weights: str, size: Size) -> None:
    """A new momentum beside the gradient; it becomes the optimizer's, the old one goes, and the weights change."""
    script.add(f"{gradient}/moment", reads=(gradient,), scratch=size)
    script.add(f"{gradient}/step", after=(f"{gradient}/moment",), updates=weights)


def _adapt(script: Script, gradient: str, weights: str, size: Size) -> None:
    """Keras's `Adam.update_step`: one more array while both moments change, then one for the root and the step's."""
    step = f"{gradient}/step"
    script.add(f"{gradient}/moments", reads=(gradient,), scratch=size)
    script.add(step, makes=((step, size),), scratch=size, after=(f"{gradient}/moments",))
    script.add(f"{step}/assign", reads=(step,), updates=weights)


_UPDATES = {"sgd": _descend, "momentum": _descend_with_momentum, "adam": _adapt, "adamw": _adapt}
