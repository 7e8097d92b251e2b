"""The operations of one training step, written down from the network alone, as TensorFlow runs our recipe.

Calibrated against the allocations of real steps on the CPU (`docs/estimates.md`). Names: `x` is the output of layer x,
`x'` its gradient, `x'<-y` the part of it that comes from the reader y.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from math import prod
from typing import Any

from ml.estimates.lifetimes import NOTHING, Operation, Size
from ml.estimates.plan import OptimizerName, Plan
from ml.networks import IMAGES, Network, Node

NEEDS_OUTPUT = frozenset({"relu", "relu6", "tanh", "sigmoid", "elu", "softmax"})
"""Activations whose gradient needs what came out; that of the others needs what went in."""
NEEDS_INNER_ALONE = frozenset({"scaled_tanh", "hard_sigmoid", "gelu"})
"""Activations whose gradient needs neither, but the arrays in between."""
INNER = {"gelu": 3, "scaled_tanh": 1, "hard_sigmoid": 1, "hard_silu": 2}
"""Arrays between input and output that the gradient of an activation needs too."""
PLAIN_VIEWS = frozenset({"Flatten", "Reshape"})
LAG: dict[OptimizerName, int] = {"sgd": 10, "momentum": 16, "adam": 6, "adamw": 6}
"""Layers with weights that the backward pass is ahead of the optimizer; fitted to the list in `docs/estimates.md`."""
LARGE_SHARE = 0.15
"""Of all trained weights, in one array: the optimizer is one layer behind."""
LEAST_UPDATED_BYTES = 16 * 1024
"""What comes and goes while smaller arrays are updated is left out."""
SPLIT_GROUPS = 8
"""`ml.engine.build.MOST_SPLIT_GROUPS`: convolutions in as many groups run as one a group."""


class Tracer:
    """Writes down the operations of a network, with sizes for one image."""

    def __init__(self, network: Network, plan: Plan) -> None:
        self._network = network
        self._plan = plan
        self._weights = {
            node.name: node.layer.weights(*(network.output_shapes[name] for name in node.inputs))
            for node in network.layers
        }
        self._kernels = {
            name: [Size(fixed=weight.size * 4) for weight in weights if weight.trainable]
            for name, weights in self._weights.items()
        }
        self._nodes = {node.name: node for node in _trained(network)}
        self._view: dict[str, str] = {IMAGES: IMAGES}
        self._trained: dict[str, bool] = {IMAGES: False}
        self._parts: dict[str, list[str]] = defaultdict(list)
        self.operations: list[Operation] = []

    @property
    def trained_bytes(self) -> tuple[int, ...]:
        """Of each array of weights that training changes."""
        return tuple(size.fixed for sizes in self._kernels.values() for size in sizes)

    @property
    def fixed_bytes(self) -> tuple[int, ...]:
        """Of each array of weights that it does not."""
        return tuple(w.size * 4 for weights in self._weights.values() for w in weights if not w.trainable)

    # ── forward ──────────────────────────────────────────────────────────────────────────────────────────────

    def forward(self) -> None:
        """From the images to the logits."""
        pixels = prod(self._network.input_shape)
        if self._plan.augmented:
            self._add("augmented", makes=((IMAGES, Size(pixels * 4)),))
        else:
            self._add("batch", makes=(("bytes", Size(pixels)),))
            self._add("cast", reads=("bytes",), makes=((IMAGES, Size(pixels * 4)),))
        for node in self._nodes.values():
            fed = any(self._trained[name] for name in node.inputs)
            self._trained[node.name] = fed or bool(self._kernel_bytes(node))
            self._view[node.name] = node.name
            FORWARD.get(node.layer.type, Tracer._forward_plain)(self, node)
            self._decay(node)

    def _decay(self, node: Node) -> None:
        """AdamW's decay makes new weights at once, while the backward pass still needs the old ones."""
        if self._plan.optimizer == "adamw":
            for index, size in enumerate(self._kernel_bytes(node)):
                self._add(f"{node.name}/decay{index}", makes=((f"{node.name}/decayed{index}", size),))

    def _forward_plain(self, node: Node) -> None:
        """Convolutions, dense layers, joins: one new array; bias and activation work in place."""
        self._add(node.name, reads=self._inputs(node), makes=((node.name, self._size(node.name)),))

    def _forward_in_place(self, node: Node) -> None:
        self._add(
            node.name, reads=self._inputs(node), makes=((node.name, self._size(node.name)),), over=self._inputs(node)
        )

    def _forward_view(self, node: Node) -> None:
        self._view[node.name] = self._view[node.inputs[0]]

    def _forward_activation(self, node: Node) -> None:
        name = _option(node, "activation")
        if name == "linear":
            self._forward_view(node)
            return
        inner = tuple((f"{node.name}/{i}", self._size(node.name)) for i in range(INNER.get(name, 0)))
        self._add(
            node.name,
            reads=self._inputs(node),
            makes=((node.name, self._size(node.name)), *inner),
            over=self._inputs(node),
        )

    def _forward_batch_norm(self, node: Node) -> None:
        """The squared differences come and go before the output is there."""
        size = self._size(node.name)
        squares = f"{node.name}/squares"
        self._add(squares, reads=self._inputs(node), makes=((squares, size),))
        self._add(f"{node.name}/variance", reads=(squares,))
        self._forward_plain(node)

    def _forward_dropout(self, node: Node) -> None:
        """Random numbers become a mask of one byte a value."""
        size, (source,) = self._size(node.name), self._inputs(node)
        numbers, scaled, mask = f"{node.name}/random", node.name, f"{node.name}/mask"
        count = Size(prod(self._network.output_shapes[node.name]))
        self._add(numbers, makes=((numbers, size),))
        self._add(scaled, reads=(source,), makes=((scaled, size),))
        self._add(mask, reads=(numbers,), makes=((mask, count),))

    def _forward_stochastic_depth(self, node: Node) -> None:
        """Scaled, then whole images are put out; one number an image says which, and weighs nothing."""
        (source,), scaled = self._inputs(node), f"{node.name}/scaled"
        self._add(scaled, reads=(source,), makes=((scaled, self._size(node.name)),), over=(source,))
        self._add(node.name, reads=(scaled,), makes=((node.name, self._size(node.name)),), over=(scaled,))

    def _forward_layer_norm(self, node: Node) -> None:
        """The squared differences come and go; scale and shift of each place are arrays of the input's size."""
        size, (source,), name = self._size(node.name), self._inputs(node), node.name
        squares, scale, shift, product = (f"{name}/{part}" for part in ("squares", "scale", "shift", "product"))
        self._add(squares, reads=(source,), makes=((squares, size),))
        self._add(f"{name}/variance", reads=(squares,))
        self._add(scale, makes=((scale, size),))
        self._add(shift, reads=(scale,), makes=((shift, size),))
        self._add(product, reads=(source, scale), makes=((product, size),))
        self._add(name, reads=(product, shift), makes=((name, size),), over=(product, shift))

    def _forward_channel_order(self, node: Node) -> None:
        """Each channel by itself, then joined again."""
        parts = f"{node.name}/parts"
        self._add(parts, reads=self._inputs(node), makes=((parts, self._size(node.name)),))
        self._add(node.name, reads=(parts,), makes=((node.name, self._size(node.name)),))

    def _forward_max_pool(self, node: Node) -> None:
        """Besides the output, where each largest value was, a byte each."""
        places = Size(prod(self._network.output_shapes[node.name]))
        makes = ((node.name, self._size(node.name)), (f"{node.name}/places", places))
        self._add(node.name, reads=self._inputs(node), makes=makes)

    def _forward_lrn(self, node: Node) -> None:
        """Squares, their sums, two roots, a power."""
        size, (source,), name = self._size(node.name), self._inputs(node), node.name
        self._add(f"{name}/squares", reads=(source,), makes=((f"{name}/squares", size),))
        self._add(f"{name}/sums", reads=(f"{name}/squares",), makes=((f"{name}/root", size),))
        self._add(f"{name}/root", reads=(f"{name}/root",), makes=((f"{name}/root4", size),))
        reads = (f"{name}/root", f"{name}/root4")
        self._add(f"{name}/power", reads=reads, makes=((f"{name}/power", size),))
        self._add(name, reads=(source, f"{name}/power"), makes=((name, size),))

    def _forward_separable(self, node: Node) -> None:
        """The convolution of each map by itself is kept for the one across maps."""
        inner = f"{node.name}/maps"
        self._add(inner, reads=self._inputs(node), makes=((inner, self._between(node)),))
        self._add(node.name, reads=(inner,), makes=((node.name, self._size(node.name)),))

    def _forward_conv(self, node: Node) -> None:
        groups = _option(node, "groups")
        if not 1 < groups <= SPLIT_GROUPS:
            self._forward_plain(node)
            return
        (source,) = self._inputs(node)
        split, parts = f"{node.name}/split", f"{node.name}/parts"
        self._add(split, reads=(source,), makes=((split, self._size(node.inputs[0])),))
        self._add(parts, reads=(split,), makes=((parts, self._size(node.name)),))
        self._add(node.name, reads=(parts,), makes=((node.name, self._size(node.name)),))

    def _forward_subsampling(self, node: Node) -> None:
        """The mean is kept for the gradient of its coefficient."""
        size, mean = self._size(node.name), f"{node.name}/mean"
        self._add(mean, reads=self._inputs(node), makes=((mean, size),))
        self._add(node.name, reads=(mean,), makes=((node.name, size),))

    # ── backward ─────────────────────────────────────────────────────────────────────────────────────────────

    def backward(self) -> None:
        """From the logits back to the first weights; the optimizer follows each gradient some layers behind.

        Two threads work: one goes on backwards while the other updates, and what is ready waits in line. A gradient
        that is a large part of all is not left waiting for long, as what feeds on it takes long too.
        """
        last = list(self._nodes)[-1]
        heads = [last, *(head.name for head in self._network.auxiliary)]
        for head in heads:
            self._add(f"loss/{head}", reads=(self._view[head],), makes=((f"{head}'", self._size(head, full=True)),))
            self._parts[head].append(f"{head}'")
        pending: list[Node] = []
        large = LARGE_SHARE * sum(self.trained_bytes)
        for node in reversed(list(self._nodes.values())):
            if self._parts[node.name] and self._trained[node.name]:
                gradient = self._sum_parts(node.name)
                BACKWARD.get(node.layer.type, Tracer._backward_weighted)(self, node, gradient)
            if self._kernel_bytes(node):
                pending.append(node)
            while len(pending) > (1 if self._largest(pending[:1]) >= large else LAG[self._plan.optimizer]):
                self.operations += self._updates(pending.pop(0))
        for node in pending:
            self.operations += self._updates(node)
        for node in self._nodes.values():
            self._end_decay(node)

    def _largest(self, nodes: list[Node]) -> int:
        return max((size.fixed for node in nodes for size in self._kernel_bytes(node)), default=0)

    def _end_decay(self, node: Node) -> None:
        if self._plan.optimizer == "adamw":
            decayed = tuple(f"{node.name}/decayed{index}" for index in range(len(self._kernel_bytes(node))))
            self._add(f"{node.name}/replace", reads=decayed)

    def _sum_parts(self, name: str) -> str:
        """The gradient of a layer's output; parts from several readers are added up in the memory of one."""
        parts = tuple(self._parts[name])
        if len(parts) == 1:
            return parts[0]
        total = f"{name}'"
        self._add(f"add/{name}", reads=parts, makes=((total, self._size(name)),), over=parts)
        return total

    def _give(self, node: Node, position: int, gradient: str, *reads: str, over: bool = False) -> None:
        """Make one input's gradient out of the output's, if anybody wants it."""
        source = node.inputs[position]
        if not self._trained[source]:
            return
        part = f"{source}'<-{node.name}.{position}"
        self._add(
            part,
            reads=(gradient, *reads),
            makes=((part, self._size(source)),),
            over=(gradient,) if over else (),
        )
        self._parts[source].append(part)

    def _pass_on(self, node: Node, position: int, gradient: str) -> None:
        if self._trained[node.inputs[position]]:
            self._parts[node.inputs[position]].append(gradient)

    def _backward_weighted(self, node: Node, gradient: str) -> None:
        """Convolutions and dense layers: the weights' gradient needs the input, the input's needs the weights."""
        self._weight_gradients(node, gradient, *self._inputs(node))

    def _weight_gradients(self, node: Node, gradient: str, *reads: str) -> None:
        """Both gradients are ready at the same time, and both read the output's: it lives until both are done."""
        kernel = self._kernel_bytes(node)
        source, parts = node.inputs[0], []
        if self._trained[source]:
            parts.append((f"{source}'<-{node.name}.0", self._size(source)))
            self._parts[source].append(parts[0][0])
        makes = tuple(parts) + tuple((f"{node.name}/d{i}", size) for i, size in enumerate(kernel))
        self._add(f"{node.name}/backward", reads=(gradient, *reads), makes=makes)

    def _backward_separable(self, node: Node, gradient: str) -> None:
        inner, source = f"{node.name}/maps", node.inputs[0]
        depthwise, *pointwise = self._kernel_bytes(node)
        makes = ((f"{inner}'", self._between(node)), *((f"{node.name}/d{i}", b) for i, b in enumerate(pointwise, 1)))
        self._add(f"{inner}/backward", reads=(gradient, inner), makes=makes)
        parts = ((f"{node.name}/d0", depthwise),)
        if self._trained[source]:
            part = f"{source}'<-{node.name}.0"
            self._parts[source].append(part)
            parts = ((part, self._size(source)), *parts)
        self._add(f"{node.name}/backward", reads=(f"{inner}'", self._view[source]), makes=parts)

    def _backward_conv(self, node: Node, gradient: str) -> None:
        groups = _option(node, "groups")
        if not 1 < groups <= SPLIT_GROUPS:
            self._backward_weighted(node, gradient)
            return
        split, sliced, source = f"{node.name}/split", f"{node.name}/slices'", node.inputs[0]
        self._add(sliced, reads=(gradient,), makes=((sliced, self._size(node.name)),))
        makes = tuple((f"{node.name}/d{i}", size) for i, size in enumerate(self._kernel_bytes(node)))
        parts = f"{split}'"
        self._add(f"{node.name}/backward", reads=(sliced, split), makes=((parts, self._size(source)), *makes))
        self._give(node, 0, parts)

    def _backward_view(self, node: Node, gradient: str) -> None:
        for position in range(len(node.inputs)):
            self._pass_on(node, position, gradient)

    def _backward_in_place(self, node: Node, gradient: str) -> None:
        self._give(node, 0, gradient, over=True)

    def _backward_activation(self, node: Node, gradient: str) -> None:
        name = _option(node, "activation")
        if name == "linear":
            self._pass_on(node, 0, gradient)
            return
        inner = tuple(f"{node.name}/{i}" for i in range(INNER.get(name, 0)))
        if name in NEEDS_OUTPUT:
            inner = (self._view[node.name],)
        elif name not in NEEDS_INNER_ALONE:
            inner = (self._view[node.inputs[0]], *inner)
        self._give(node, 0, gradient, *inner, over=True)

    def _backward_dropout(self, node: Node, gradient: str) -> None:
        self._give(node, 0, gradient, f"{node.name}/mask", over=True)

    def _backward_max_pool(self, node: Node, gradient: str) -> None:
        self._give(node, 0, gradient, self._view[node.inputs[0]], self._view[node.name], f"{node.name}/places")

    def _backward_new(self, node: Node, gradient: str) -> None:
        """Pooling by the mean, padding, joins side by side: each input gets an array of its own."""
        for position in range(len(node.inputs)):
            self._give(node, position, gradient)

    def _backward_multiply(self, node: Node, gradient: str) -> None:
        for position, name in enumerate(node.inputs):
            others = tuple(self._view[other] for other in node.inputs if other != name)
            if not self._trained[name]:
                continue
            product = f"{node.name}/product{position}"
            self._add(product, reads=(gradient, *others), makes=((product, self._size(node.name)),))
            self._give(node, position, product, over=True)

    def _backward_batch_norm(self, node: Node, gradient: str) -> None:
        """Three ways lead back through scale, mean and variance; they are added up at the end."""
        size, (source,), name = self._size(node.name), self._inputs(node), node.name
        if not self._trained[node.inputs[0]]:
            self._add(f"{name}/product", reads=(gradient, source), makes=((f"{name}/product", size),))
            return
        direct, product, mean, variance = (f"{name}/{way}'" for way in ("direct", "product", "mean", "variance"))
        self._add(direct, reads=(gradient,), makes=((direct, size),))
        self._add(product, reads=(gradient, source), makes=((product, size),))
        self._add(mean, makes=((mean, size),))
        self._add(f"{name}/sums", reads=(product, gradient))
        self._add(variance, reads=(source,), makes=((variance, size),))
        ways = (direct, mean, variance)
        self._add(f"{name}/add", reads=ways, makes=((f"{name}/total'", size),), over=ways)
        self._give(node, 0, f"{name}/total'", over=True)

    def _backward_layer_norm(self, node: Node, gradient: str) -> None:
        """Scale and shift of each place have gradients of the input's size, and lead back over mean and variance."""
        size, (source,), name = self._size(node.name), self._inputs(node), node.name
        scale = f"{name}/scale"
        direct, by_product, by_shift = (f"{name}/{way}'" for way in ("direct", "by_product", "by_shift"))
        mean, variance = f"{name}/mean'", f"{name}/variance'"
        self._add(direct, reads=(gradient, scale), makes=((direct, size),))
        self._add(by_product, reads=(gradient, source), makes=((by_product, size),))
        self._add(by_shift, reads=(gradient,), makes=((by_shift, size),))
        self._add(f"{name}/mean sums", reads=(gradient, scale), scratch=size)
        both = (by_product, by_shift)
        self._add(f"{name}/scale'", reads=both, makes=((f"{name}/scale'", size),), over=both)
        self._add(f"{name}/gamma", reads=(f"{name}/scale'",), scratch=size)
        self._add(f"{name}/deviation", reads=(f"{name}/scale'",), scratch=size)
        self._add(variance, reads=(source,), makes=((variance, size),))
        self._add(mean, makes=((mean, size),))
        ways = (direct, mean, variance)
        self._add(f"{name}/add", reads=ways, makes=((f"{name}/total'", size),), over=ways)
        self._give(node, 0, f"{name}/total'", over=True)

    def _backward_layer_scale(self, node: Node, gradient: str) -> None:
        self._add(f"{node.name}/d", reads=(gradient, self._view[node.inputs[0]]), scratch=self._size(node.name))
        self._give(node, 0, gradient, over=True)

    def _backward_lrn(self, node: Node, gradient: str) -> None:
        size, (source,), name = self._size(node.name), self._inputs(node), node.name
        root, root4, power = f"{name}/root", f"{name}/root4", f"{name}/power"
        self._add(f"{power}'", reads=(gradient, source), makes=((f"{power}'", size),))
        self._add(f"{name}/direct", reads=(gradient, power), makes=((f"{name}/direct", size),), over=(gradient,))
        self._add(f"{root4}'", reads=(f"{power}'", root), makes=((f"{root4}'", size),))
        self._add(f"{root}'", reads=(f"{power}'", root4), makes=((f"{root}'", size),), over=(f"{power}'",))
        reads = (f"{root}'", f"{root4}'", root, root4)
        self._add(f"{name}/sums'", reads=reads, makes=((f"{name}/sums'", size),), over=(f"{root}'",))
        self._add(f"{name}/squares'", reads=(f"{name}/sums'", source), makes=((f"{name}/squares'", size),))
        both = (f"{name}/direct", f"{name}/squares'")
        self._add(f"{name}/add", reads=both, makes=((f"{name}/total'", size),), over=both)
        self._give(node, 0, f"{name}/total'", over=True)

    def _backward_subsampling(self, node: Node, gradient: str) -> None:
        self._add(f"{node.name}/d", reads=(gradient, f"{node.name}/mean"), scratch=self._size(node.name))
        self._give(node, 0, gradient)

    # ── the optimizer ────────────────────────────────────────────────────────────────────────────────────────

    def _updates(self, node: Node) -> list[Operation]:
        """What the optimizer does with each gradient of a layer's weights."""
        made: list[Operation] = []
        for index, size in enumerate(self._kernel_bytes(node)):
            if size.fixed >= LEAST_UPDATED_BYTES:
                made += update(f"{node.name}/d{index}", size, self._plan)
        return made

    # ── sizes ────────────────────────────────────────────────────────────────────────────────────────────────

    def _add(
        self,
        name: str,
        *,
        reads: tuple[str, ...] = (),
        makes: tuple[tuple[str, Size], ...] = (),
        over: tuple[str, ...] = (),
        scratch: Size = NOTHING,
    ) -> None:
        self.operations.append(Operation(name, reads, makes, over, scratch))

    def _inputs(self, node: Node) -> tuple[str, ...]:
        return tuple(self._view[name] for name in node.inputs)

    def _size(self, name: str, *, full: bool = False) -> Size:
        number = 4 if full else self._plan.activation_bytes
        return Size(prod(self._network.output_shapes[name]) * number)

    def _between(self, node: Node) -> Size:
        """Bytes between the two halves of a separable convolution."""
        height, width, _ = self._network.output_shapes[node.name]
        maps = self._network.output_shapes[node.inputs[0]][-1] * _option(node, "depth_multiplier")
        return Size(height * width * maps * self._plan.activation_bytes)

    def _kernel_bytes(self, node: Node) -> list[Size]:
        """The sizes of a layer's trained weights."""
        return self._kernels[node.name]


def update(gradient: str, size: Size, plan: Plan) -> list[Operation]:
    """The optimizer's operations on one array of weights, with the arrays that come and go.

    Adam takes one for the squared gradient, then one for the root and one for the step (Keras's `Adam.update_step`);
    momentum one for the new momentum and one for the new weights.
    """
    if plan.optimizer == "sgd":
        return [Operation(f"{gradient}/step", (gradient,))]
    if plan.optimizer == "momentum":
        moment = f"{gradient}/moment"
        return [
            Operation(moment, (gradient,), ((moment, size),)),
            Operation(f"{gradient}/step", (gradient, moment), scratch=size),
        ]
    square, root, step = f"{gradient}/square", f"{gradient}/root", f"{gradient}/step"
    return [
        Operation(square, (gradient,), ((square, size),)),
        Operation(f"{gradient}/moments", (gradient, square)),
        Operation(root, (), ((root, size),)),
        Operation(step, (root,), ((step, size),)),
        Operation(f"{gradient}/assign", (step,)),
    ]


def _trained(network: Network) -> list[Node]:
    """The layers that training runs: all but the softmax behind the logits."""
    last = network.layers[-1]
    is_softmax = last.layer.type == "Activation" and _option(last, "activation") == "softmax"
    return list(network.layers[:-1] if is_softmax else network.layers)


def _option(node: Node, name: str) -> Any:
    return getattr(node.layer, name)


Rule = Callable[..., None]

FORWARD: dict[str, Rule] = {
    "Rescaling": Tracer._forward_in_place,
    "Flatten": Tracer._forward_view,
    "Reshape": Tracer._forward_view,
    "Activation": Tracer._forward_activation,
    "BatchNormalization": Tracer._forward_batch_norm,
    "ChannelOrder": Tracer._forward_channel_order,
    "Dropout": Tracer._forward_dropout,
    "StochasticDepth": Tracer._forward_stochastic_depth,
    "LayerNormalization": Tracer._forward_layer_norm,
    "MaxPooling2D": Tracer._forward_max_pool,
    "LocalResponseNormalization": Tracer._forward_lrn,
    "SeparableConv2D": Tracer._forward_separable,
    "Conv2D": Tracer._forward_conv,
    "TrainableSubsampling2D": Tracer._forward_subsampling,
    "Add": Tracer._forward_in_place,
    "Multiply": Tracer._forward_in_place,
}
BACKWARD: dict[str, Rule] = {
    "Rescaling": Tracer._backward_in_place,
    "Flatten": Tracer._backward_view,
    "Reshape": Tracer._backward_view,
    "Add": Tracer._backward_view,
    "Activation": Tracer._backward_activation,
    "BatchNormalization": Tracer._backward_batch_norm,
    "ChannelOrder": Tracer._backward_new,
    "Dropout": Tracer._backward_dropout,
    "StochasticDepth": Tracer._backward_in_place,
    "LayerNormalization": Tracer._backward_layer_norm,
    "LayerScale": Tracer._backward_layer_scale,
    "MaxPooling2D": Tracer._backward_max_pool,
    "GlobalMaxPooling2D": Tracer._backward_new,
    "AveragePooling2D": Tracer._backward_new,
    "GlobalAveragePooling2D": Tracer._backward_new,
    "ZeroPadding2D": Tracer._backward_new,
    "ChannelPadding": Tracer._backward_new,
    "Concatenate": Tracer._backward_new,
    "Multiply": Tracer._backward_multiply,
    "LocalResponseNormalization": Tracer._backward_lrn,
    "SeparableConv2D": Tracer._backward_separable,
    "Conv2D": Tracer._backward_conv,
    "TrainableSubsampling2D": Tracer._backward_subsampling,
}
