"""The backward pass: what each type of layer reads and makes to hand its output's gradient on."""

from __future__ import annotations

from collections.abc import Callable

from ml.estimates.activations import INNER, NEEDS_INNER_ALONE, NEEDS_OUTPUT, SPLIT_GROUPS
from ml.estimates.script import Script, option
from ml.networks import Node


def write_gradients(script: Script, node: Node) -> None:
    """The operations that make the gradients of a layer's weights and inputs; its output's has been made."""
    gradient = script.sum_parts(node.name)
    BACKWARD.get(node.layer.type, _weighted)(script, node, gradient)


def _weighted(script: Script, node: Node, gradient: str) -> None:
    """Convolutions and dense layers: the weights' gradient needs the input, the input's needs the weights."""
    _weight_gradients(script, node, gradient, *script.inputs(node))


def _weight_gradients(script: Script, node: Node, gradient: str, *reads: str) -> None:
    """Both gradients are ready at the same time, and both read the output's: it lives until both are done."""
    kernel = script.kernels(node)
    source, parts = node.inputs[0], []
    if script.trained[source]:
        parts.append((f"{source}'<-{node.name}.0", script.size(source)))
        script.parts[source].append(parts[0][0])
    makes = tuple(parts) + tuple((f"{node.name}/d{i}", size) for i, size in enumerate(kernel))
    script.add(f"{node.name}/backward", reads=(gradient, *reads), makes=makes)


def _separable(script: Script, node: Node, gradient: str) -> None:
    inner, source = f"{node.name}/maps", node.inputs[0]
    depthwise, *pointwise = script.kernels(node)
    makes = ((f"{inner}'", script.between(node)), *((f"{node.name}/d{i}", b) for i, b in enumerate(pointwise, 1)))
    script.add(f"{inner}/backward", reads=(gradient, inner), makes=makes)
    parts = ((f"{node.name}/d0", depthwise),)
    if script.trained[source]:
        part = f"{source}'<-{node.name}.0"
        script.parts[source].append(part)
        parts = ((part, script.size(source)), *parts)
    script.add(f"{node.name}/backward", reads=(f"{inner}'", script.views[source]), makes=parts)


def _conv(script: Script, node: Node, gradient: str) -> None:
    groups = option(node, "groups")
    if not 1 < groups <= SPLIT_GROUPS:
        _weighted(script, node, gradient)
        return
    split, sliced, source = f"{node.name}/split", f"{node.name}/slices'", node.inputs[0]
    script.add(sliced, reads=(gradient,), makes=((sliced, script.size(node.name)),))
    makes = tuple((f"{node.name}/d{i}", size) for i, size in enumerate(script.kernels(node)))
    parts = f"{split}'"
    script.add(f"{node.name}/backward", reads=(sliced, split), makes=((parts, script.size(source)), *makes))
    script.give(node, 0, parts)


def _view(script: Script, node: Node, gradient: str) -> None:
    for position in range(len(node.inputs)):
        script.pass_on(node, position, gradient)


def _in_place(script: Script, node: Node, gradient: str) -> None:
    script.give(node, 0, gradient, over=True)


def _activation(script: Script, node: Node, gradient: str) -> None:
    name = option(node, "activation")
    if name == "linear":
        script.pass_on(node, 0, gradient)
        return
    inner = tuple(f"{node.name}/{i}" for i in range(INNER.get(name, 0)))
    if name in NEEDS_OUTPUT:
        inner = (script.views[node.name],)
    elif name not in NEEDS_INNER_ALONE:
        inner = (script.views[node.inputs[0]], *inner)
    script.give(node, 0, gradient, *inner, over=True)


def _dropout(script: Script, node: Node, gradient: str) -> None:
    if node.name in script.plan.frozen:
        script.pass_on(node, 0, gradient)
        return
    script.give(node, 0, gradient, f"{node.name}/mask", over=True)


def _max_pool(script: Script, node: Node, gradient: str) -> None:
    script.give(node, 0, gradient, script.views[node.inputs[0]], script.views[node.name], f"{node.name}/places")


def _new(script: Script, node: Node, gradient: str) -> None:
    """Pooling by the mean, padding, joins side by side: each input gets an array of its own."""
    for position in range(len(node.inputs)):
        script.give(node, position, gradient)


def _multiply(script: Script, node: Node, gradient: str) -> None:
    for position, name in enumerate(node.inputs):
        others = tuple(script.views[other] for other in node.inputs if other != name)
        if not script.trained[name]:
            continue
        product = f"{node.name}/product{position}"
        script.add(product, reads=(gradient, *others), makes=((product, script.size(node.name)),))
        script.give(node, position, product, over=True)


def _batch_norm(script: Script, node: Node, gradient: str) -> None:
    """Three ways lead back through scale, mean and variance; they are added up at the end. Of a frozen one, one."""
    if node.name in script.plan.frozen:
        script.give(node, 0, gradient, over=True)
        return
    size, (source,), name = script.size(node.name), script.inputs(node), node.name
    if not script.trained[node.inputs[0]]:
        script.add(f"{name}/product", reads=(gradient, source), makes=((f"{name}/product", size),))
        return
    direct, product, mean, variance = (f"{name}/{way}'" for way in ("direct", "product", "mean", "variance"))
    script.add(direct, reads=(gradient,), makes=((direct, size),))
    script.add(product, reads=(gradient, source), makes=((product, size),))
    script.add(mean, makes=((mean, size),))
    script.add(f"{name}/sums", reads=(product, gradient))
    script.add(variance, reads=(source,), makes=((variance, size),))
    ways = (direct, mean, variance)
    script.add(f"{name}/add", reads=ways, makes=((f"{name}/total'", size),), over=ways)
    script.give(node, 0, f"{name}/total'", over=True)


def _layer_norm(script: Script, node: Node, gradient: str) -> None:
    """Scale and shift of each place have gradients of the input's size, and lead back over mean and variance."""
    size, (source,), name = script.size(node.name), script.inputs(node), node.name
    scale = f"{name}/scale"
    direct, by_product, by_shift = (f"{name}/{way}'" for way in ("direct", "by_product", "by_shift"))
    mean, variance = f"{name}/mean'", f"{name}/variance'"
    script.add(direct, reads=(gradient, scale), makes=((direct, size),))
    script.add(by_product, reads=(gradient, source), makes=((by_product, size),))
    script.add(by_shift, reads=(gradient,), makes=((by_shift, size),))
    script.add(f"{name}/mean sums", reads=(gradient, scale), scratch=size)
    both = (by_product, by_shift)
    script.add(f"{name}/scale'", reads=both, makes=((f"{name}/scale'", size),), over=both)
    script.add(f"{name}/gamma", reads=(f"{name}/scale'",), scratch=size)
    script.add(f"{name}/deviation", reads=(f"{name}/scale'",), scratch=size)
    script.add(variance, reads=(source,), makes=((variance, size),))
    script.add(mean, makes=((mean, size),))
    ways = (direct, mean, variance)
    script.add(f"{name}/add", reads=ways, makes=((f"{name}/total'", size),), over=ways)
    script.give(node, 0, f"{name}/total'", over=True)


def _layer_scale(script: Script, node: Node, gradient: str) -> None:
    script.add(f"{node.name}/d", reads=(gradient, script.views[node.inputs[0]]), scratch=script.size(node.name))
    script.give(node, 0, gradient, over=True)


def _stochastic_depth(script: Script, node: Node, gradient: str) -> None:
    if node.name in script.plan.frozen:
        script.pass_on(node, 0, gradient)
        return
    _in_place(script, node, gradient)


def _lrn(script: Script, node: Node, gradient: str) -> None:
    size, (source,), name = script.size(node.name), script.inputs(node), node.name
    root, root4, power = f"{name}/root", f"{name}/root4", f"{name}/power"
    script.add(f"{power}'", reads=(gradient, source), makes=((f"{power}'", size),))
    script.add(f"{name}/direct", reads=(gradient, power), makes=((f"{name}/direct", size),), over=(gradient,))
    script.add(f"{root4}'", reads=(f"{power}'", root), makes=((f"{root4}'", size),))
    script.add(f"{root}'", reads=(f"{power}'", root4), makes=((f"{root}'", size),), over=(f"{power}'",))
    reads = (f"{root}'", f"{root4}'", root, root4)
    script.add(f"{name}/sums'", reads=reads, makes=((f"{name}/sums'", size),), over=(f"{root}'",))
    script.add(f"{name}/squares'", reads=(f"{name}/sums'", source), makes=((f"{name}/squares'", size),))
    both = (f"{name}/direct", f"{name}/squares'")
    script.add(f"{name}/add", reads=both, makes=((f"{name}/total'", size),), over=both)
    script.give(node, 0, f"{name}/total'", over=True)


def _subsampling(script: Script, node: Node, gradient: str) -> None:
    script.add(f"{node.name}/d", reads=(gradient, f"{node.name}/mean"), scratch=script.size(node.name))
    script.give(node, 0, gradient)


BACKWARD: dict[str, Callable[[Script, Node, str], None]] = {
    "Rescaling": _in_place,
    "Flatten": _view,
    "Reshape": _view,
    "Add": _view,
    "Activation": _activation,
    "BatchNormalization": _batch_norm,
    "ChannelOrder": _new,
    "Dropout": _dropout,
    "StochasticDepth": _stochastic_depth,
    "LayerNormalization": _layer_norm,
    "LayerScale": _layer_scale,
    "MaxPooling2D": _max_pool,
    "GlobalMaxPooling2D": _new,
    "AveragePooling2D": _new,
    "GlobalAveragePooling2D": _new,
    "ZeroPadding2D": _new,
    "ChannelPadding": _new,
    "UpSampling2D": _new,
    "Concatenate": _new,
    "Multiply": _multiply,
    "LocalResponseNormalization": _lrn,
    "SeparableConv2D": _separable,
    "Conv2D": _conv,
    "TrainableSubsampling2D": _subsampling,
}
