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


def write_beginning(script: Script) -> None:
    """What the optimizer does with weights or slots before any gradient is there, as it needs none for it.

    AdamW's decay makes new weights; the old ones stay until they have been read. The old momentum times its factor is
    made for all weights at once, and waits for their gradients.
    """
    begin = _BEGINNINGS.get(script.plan.optimizer)
    for node in script.nodes.values() if begin else ():
        for index, size in enumerate(script.kernels(node)):
            if size.fixed >= LEAST_UPDATED_BYTES:
                begin(script, node, index, size)


def _decay(script: Script, node: Node, index: int, size: Size) -> None:
    script.add(f"{node.name}/w{index}/decayed", updates=f"{node.name}/w{index}")


def _slow_down(script: Script, node: Node, index: int, size: Size) -> None:
    moment = f"{node.name}/d{index}/moment"
    script.add(moment, makes=((moment, size),))


def _descend(script: Script, gradient: str, weights: str, size: Size) -> None:
    """Gradient times rate, in the gradient's memory, and off the weights."""
    script.add(f"{gradient}/step", reads=(gradient,), updates=weights)


def _descend_with_momentum(script: Script, gradient: str, weights: str, size: Size) -> None:
    """The gradient is taken off the momentum that was slowed down; that becomes the optimizer's; the weights change."""
    moment = f"{gradient}/moment"
    script.add(f"{moment}/sum", reads=(gradient, moment))
    script.add(f"{gradient}/step", after=(f"{moment}/sum",), updates=weights)


def _adapt(script: Script, gradient: str, weights: str, size: Size) -> None:
    """Keras's `Adam.update_step`: one more array while both moments change, then one for the root and the step's."""
    step = f"{gradient}/step"
    script.add(f"{gradient}/moments", reads=(gradient,), scratch=size)
    script.add(step, makes=((step, size),), scratch=size, after=(f"{gradient}/moments",))
    script.add(f"{step}/assign", reads=(step,), updates=weights)


_BEGINNINGS = {"adamw": _decay, "momentum": _slow_down}
_UPDATES = {"sgd": _descend, "momentum": _descend_with_momentum, "adam": _adapt, "adamw": _adapt}
