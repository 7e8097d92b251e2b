"""The operations of one training step while they are written down from a network alone: names, sizes, gradients.

Names: `x` is the output of layer x, `x'` its gradient, `x'<-y` the part of it that comes from the reader y.
"""

from __future__ import annotations

from collections import defaultdict
from math import prod
from typing import Any

from ml.estimates.executor import Task
from ml.estimates.lifetimes import NOTHING, Operation, Size
from ml.estimates.plan import Plan
from ml.estimates.work import seconds
from ml.networks import IMAGES, Network, Node

FLOAT_BYTES = 4
MOVED_FOR_MADE = 3
"""Bytes read and written for each byte of what an operation makes: two inputs and the output."""


class Script:
    """What is known of the step so far. Sizes are for one image; the time that operations take is for the batch."""

    def __init__(self, network: Network, plan: Plan) -> None:
        self.network = network
        self.plan = plan
        self._kernels = {
            name: [
                Size(fixed=weight.size * FLOAT_BYTES)
                for weight in weights
                if weight.trainable and name not in plan.frozen
            ]
            for name, weights in network.weights.items()
        }
        self._multiply_adds = {row.name: row.multiply_adds for row in network.table}
        self.nodes = {node.name: node for node in _trained(network)}
        """The layers that training runs."""
        self.views: dict[str, str] = {IMAGES: IMAGES}
        """By layer, the tensor in whose memory its output lies."""
        self.trained: dict[str, bool] = {IMAGES: False}
        """By layer, whether its gradient is wanted: it has weights, or something before it has."""
        self.parts: dict[str, list[str]] = defaultdict(list)
        """By layer, the gradients of its output that its readers have made."""
        self.operations: list[Operation] = []
        self._waits: list[tuple[str, ...]] = []
        self._multiplied: list[int] = []

    def tasks(self) -> list[Task]:
        """How long each operation takes, and which ones wait for it: those that read what it makes, or are `after`."""
        images, makers = self.plan.micro_batch, dict[str, int]()
        readers: list[list[int]] = []
        tasks = []
        rows = zip(self.operations, self._waits, self._multiplied, strict=True)
        for number, (operation, waits, multiplied) in enumerate(rows):
            for name in waits:
                if name in makers:
                    readers[makers[name]].append(number)
            worked = 0
            for name, (an_image, fixed) in operation.makes or self._worked_on(operation):
                worked += an_image * images + fixed
                makers[name] = number
            makers[operation.name] = number
            readers.append([])
            busy_s = seconds(flops=2 * multiplied * images, moved_bytes=MOVED_FOR_MADE * worked)
            tasks.append(Task(busy_s, False, readers[-1]))
        return tasks

    @property
    def kernels_by_name(self) -> dict[str, Size]:
        """The trained weights, under the names by which operations read and update them."""
        return {f"{name}/w{i}": size for name, sizes in self._kernels.items() for i, size in enumerate(sizes)}

    @property
    def trained_bytes(self) -> tuple[int, ...]:
        """Of each array of weights that training changes."""
        return tuple(size.fixed for sizes in self._kernels.values() for size in sizes)

    @property
    def fixed_bytes(self) -> tuple[int, ...]:
        """Of each array of weights that it does not."""
        return tuple(
            weight.size * FLOAT_BYTES
            for name, weights in self.network.weights.items()
            for weight in weights
            if name in self.plan.frozen or not weight.trainable
        )

    def add(
        self,
        name: str,
        *,
        reads: tuple[str, ...] = (),
        makes: tuple[tuple[str, Size], ...] = (),
        over: tuple[str, ...] = (),
        scratch: Size = NOTHING,
        updates: str = "",
        after: tuple[str, ...] = (),
        multiply_adds: int = 0,
    ) -> None:
        """Write down an operation. It waits for those that make what it reads, and for `after`, by name.

        `multiply_adds` are those of one image; `updates` names a weight.
        """
        self._waits.append(reads + after)
        self._multiplied.append(multiply_adds)
        self.operations.append(Operation(name, reads, makes, over, scratch, "", updates))

    def _worked_on(self, operation: Operation) -> tuple[tuple[str, Size], ...]:
        """What an operation goes over that makes nothing."""
        if not operation.updates:
            return ((operation.name, operation.scratch),)
        layer, index = operation.updates.rsplit("/w", 1)
        return ((operation.name, self._kernels[layer][int(index)]),)

    def inputs(self, node: Node) -> tuple[str, ...]:
        """The tensors that a layer reads."""
        return tuple(self.views[name] for name in node.inputs)

    def normed(self, node: Node) -> str:
        """What a batch normalisation reads: its input, or in mixed precision a 32-bit copy of it."""
        return self.inputs(node)[0] if self.plan.precision == "float32" else f"{node.name}/wide"

    def weights(self, node: Node) -> tuple[str, ...]:
        """The names of a layer's trained weights."""
        return tuple(f"{node.name}/w{index}" for index in range(len(self._kernels[node.name])))

    def multiply_adds(self, node: Node) -> int:
        """Of a layer, for one image."""
        return self._multiply_adds[node.name]

    def kernels(self, node: Node) -> list[Size]:
        """The sizes of a layer's trained weights."""
        return self._kernels[node.name]

    def size(self, name: str, *, full: bool = False) -> Size:
        """Of a layer's output; `full` in 32-bit numbers whatever the plan says."""
        number = 4 if full else self.plan.activation_bytes
        return Size(prod(self.network.output_shapes[name]) * number)

    def between(self, node: Node) -> Size:
        """Of what lies between the two halves of a separable convolution."""
        height, width, _ = self.network.output_shapes[node.name]
        maps = self.network.output_shapes[node.inputs[0]][-1] * option(node, "depth_multiplier")
        return Size(height * width * maps * self.plan.activation_bytes)

    def sum_parts(self, name: str) -> str:
        """The gradient of a layer's output; parts from several readers are added up in the memory of one."""
        parts = tuple(self.parts[name])
        if len(parts) == 1:
            return parts[0]
        total = f"{name}'"
        self.add(f"add/{name}", reads=parts, makes=((total, self.size(name)),), over=parts)
        return total

    def give(
        self,
        node: Node,
        position: int,
        gradient: str,
        *reads: str,
        over: bool = False,
        after: tuple[str, ...] = (),
        scratch: Size = NOTHING,
    ) -> None:
        """Make one input's gradient out of the output's, if anybody wants it."""
        source = node.inputs[position]
        if not self.trained[source]:
            return
        part = f"{source}'<-{node.name}.{position}"
        self.add(
            part,
            reads=(gradient, *reads),
            makes=((part, self.size(source)),),
            over=(gradient,) if over else (),
            scratch=scratch,
            after=after,
        )
        self.parts[source].append(part)

    def pass_on(self, node: Node, position: int, gradient: str) -> None:
        """Take the output's gradient for the input's."""
        if self.trained[node.inputs[position]]:
            self.parts[node.inputs[position]].append(gradient)


def option(node: Node, name: str) -> Any:
    """An argument of a node's layer."""
    return getattr(node.layer, name)


def _trained(network: Network) -> list[Node]:
    """The layers that training runs: all but the softmax behind the logits."""
    last = network.layers[-1]
    is_softmax = last.layer.type == "Activation" and option(last, "activation") == "softmax"
    return list(network.layers[:-1] if is_softmax else network.layers)
