"""The operations of one training step, written down from the network alone, as TensorFlow runs our recipe.

Calibrated against the allocations of real steps on the CPU (`docs/estimates.md`).
"""

from __future__ import annotations

from ml.estimates.backward import write_gradients
from ml.estimates.forward import write_output
from ml.estimates.lifetimes import Operation, Size
from ml.estimates.plan import OptimizerName, Plan
from ml.estimates.script import Script
from ml.estimates.updates import update
from ml.networks import IMAGES, Network, Node

LAG: dict[OptimizerName, int] = {"sgd": 10, "momentum": 16, "adam": 6, "adamw": 6}
"""Layers with weights that the backward pass is ahead of the optimizer; fitted to the list in `docs/estimates.md`."""
LARGE_SHARE = 0.15
"""Of all trained weights, in one array: the optimizer is one layer behind."""
LEAST_UPDATED_BYTES = 16 * 1024
"""What comes and goes while smaller arrays are updated is left out."""


def write_step(network: Network, plan: Plan) -> Script:
    """The step of a network, from the images to the updated weights."""
    script = Script(network, plan)
    _write_images(script)
    _write_forward(script)
    _write_losses(script)
    _write_backward(script)
    return script


def _write_images(script: Script) -> None:
    pixels = script.size(IMAGES, full=True)
    if script.plan.augmented:
        script.add("augmented", makes=((IMAGES, pixels),))
    else:
        script.add("batch", makes=(("bytes", Size(pixels.an_image // 4)),))
        script.add("cast", reads=("bytes",), makes=((IMAGES, pixels),))


def _write_forward(script: Script) -> None:
    """From the images to the logits."""
    for node in script.nodes.values():
        fed = any(script.trained[name] for name in node.inputs)
        script.trained[node.name] = fed or bool(script.kernels(node))
        script.views[node.name] = node.name
        write_output(script, node)
        _write_decay(script, node)


def _write_decay(script: Script, node: Node) -> None:
    """AdamW's decay makes new weights at once, while the backward pass still needs the old ones."""
    if script.plan.optimizer == "adamw":
        for index, size in enumerate(script.kernels(node)):
            script.add(f"{node.name}/decay{index}", makes=((f"{node.name}/decayed{index}", size),))


def _write_losses(script: Script) -> None:
    """The gradients of the logits, of the auxiliary heads too."""
    last = list(script.nodes)[-1]
    for head in (last, *(head.name for head in script.network.auxiliary)):
        script.add(f"loss/{head}", reads=(script.views[head],), makes=((f"{head}'", script.size(head, full=True)),))
        script.parts[head].append(f"{head}'")


def _write_backward(script: Script) -> None:
    """From the logits back to the first weights; the optimizer follows each gradient some layers behind.

    Two threads work: one goes on backwards while the other updates, and what is ready waits in line. A gradient
    that is a large part of all is not left waiting for long, as what feeds on it takes long too.
    """
    pending: list[Node] = []
    large = LARGE_SHARE * sum(script.trained_bytes)
    for node in reversed(list(script.nodes.values())):
        if script.parts[node.name] and script.trained[node.name]:
            write_gradients(script, node)
        if script.kernels(node):
            pending.append(node)
        while len(pending) > (1 if _largest(script, pending[:1]) >= large else LAG[script.plan.optimizer]):
            script.operations += _updates(script, pending.pop(0))
    for node in pending:
        script.operations += _updates(script, node)
    for node in script.nodes.values():
        _end_decay(script, node)


def _largest(script: Script, nodes: list[Node]) -> int:
    return max((size.fixed for node in nodes for size in script.kernels(node)), default=0)


def _updates(script: Script, node: Node) -> list[Operation]:
    """What the optimizer does with each gradient of a layer's weights."""
    made: list[Operation] = []
    for index, size in enumerate(script.kernels(node)):
        if size.fixed >= LEAST_UPDATED_BYTES:
            made += update(f"{node.name}/d{index}", size, script.plan)
    return made


def _end_decay(script: Script, node: Node) -> None:
    if script.plan.optimizer == "adamw":
        decayed = tuple(f"{node.name}/decayed{index}" for index in range(len(script.kernels(node))))
        script.add(f"{node.name}/replace", reads=decayed)
