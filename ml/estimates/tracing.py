"""The operations of one training step, written down from the network alone, as TensorFlow runs our recipe.

Calibrated against the allocations of real steps on the CPU (`docs/estimates.md`).
"""

from __future__ import annotations

from ml.estimates.backward import write_gradients
from ml.estimates.forward import write_output
from ml.estimates.lifetimes import Size
from ml.estimates.plan import Plan
from ml.estimates.script import Script
from ml.estimates.updates import write_beginning, write_updates
from ml.networks import IMAGES, Network


def write_step(network: Network, plan: Plan) -> Script:
    """The step of a network, from the images to the updated weights."""
    script = Script(network, plan)
    write_beginning(script)
    _write_images(script)
    for node in script.nodes.values():
        write_output(script, node)
    _write_losses(script)
    for node in reversed(list(script.nodes.values())):
        if script.parts[node.name] and script.trained[node.name]:
            write_gradients(script, node)
            write_updates(script, node)
    return script


def _write_images(script: Script) -> None:
    pixels = script.size(IMAGES, full=True)
    if script.plan.augmented:
        script.add("augmented", makes=((IMAGES, pixels),))
    else:
        script.add("batch", makes=(("bytes", Size(pixels.an_image // 4)),))
        script.add("cast", reads=("bytes",), makes=((IMAGES, pixels),))


def _write_losses(script: Script) -> None:
    """The gradients of the logits, of the auxiliary heads too."""
    last = list(script.nodes)[-1]
    for head in (last, *(head.name for head in script.network.auxiliary)):
        script.add(f"loss/{head}", reads=(script.views[head],), makes=((f"{head}'", script.size(head, full=True)),))
        script.parts[head].append(f"{head}'")
