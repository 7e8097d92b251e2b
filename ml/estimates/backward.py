"""The backward pass: what each type of layer reads and makes to hand its output's gradient on."""

from __future__ import annotations

from collections.abc import Callable

from ml.estimates.activations import INNER, NEEDS_INNER_ALONE, NEEDS_OUTPUT, SPLIT_GROUPS
from ml.estimates.lifetimes import Size
from ml.estimates.script import Script, option
from ml.networks import Node


def write_gradients(script: Script, node: Node) -> None:
    """The operations that make the gradients of a layer's weights and inputs; its output's has been made."""
    gradient = script.sum_parts(node.name)
    BACKWARD.get(node.layer.type, _weighted)(script, node, gradient)


def _weighted(script: Script, node: Node, gradient: str) -> None:
    """Convolutions and dense layers: the weights' gradient needs the input, the input's needs the weights."""
    _weight_gradients(script, node, gradient, *script.inputs(node))
    source = node.inputs[0]
    if script.trained[source]:
        part = f"{source}'<-{node.name}.0"
        script.parts[source].append(part)
        _input_gradient(script, node, gradient, part, script.size(source))


def _weight_gradients(script: Script, node: Node, gradient: str, *reads: str) -> None:
    """One for each array of weights; the kernel's takes as long as the layer, a bias's is a sum."""
    multiply_adds = script.multiply_adds(node)
    for index, size in enumerate(script.kernels(node)):
        name = f"{node.name}/d{index}"
        kept = reads if index == 0 else ()
        script.add(name, reads=(gradient, *kept), makes=((name, size),), multiply_adds=0 if index else multiply_adds)


def _input_gradient(script: Script, node: Node, gradient: str, part: str, size: Size) -> None:
    script.add(
        part,
        reads=(gradient, *script.weights(node)[:1]),
        makes=((part, size),),
        multiply_adds=script.multiply_adds(node),
    )


def _separable(script: Script, node: Node, gradient: str) -> None:
    inner, source, between = f"{node.name}/maps", node.inputs[0], script.between(node)
    kernels, weights = script.kernels(node), script.weights(node)
    for index, size in enumerate(kernels[1:], 1):
        name, reads = f"{node.name}/d{index}", (gradient, inner) if index == 1 else (gradient,)
        script.add(name, reads=reads, makes=((name, size),), multiply_adds=script.multiply_adds(node))
    script.add(
        f"{inner}'",
        reads=(gradient, *weights[1:2]),
        makes=((f"{inner}'", between),),
        multiply_adds=script.multiply_adds(node),
    )
    if kernels:
        made = ((f"{node.name}/d0", kernels[0]),)
        script.add(f"{node.name}/d0", reads=(f"{inner}'", script.views[source]), makes=made)
    script.give(node, 0, f"{inner}'", *weights[:1])


def _conv(script: Script, node: Node, gradient: str) -> None:
    groups = option(node, "groups")
    if not 1 < groups <= SPLIT_GROUPS:
        _weighted(script, node, gradient)
        return
    split, sliced, source = f"{node.name}/split", f"{node.name}/slices'", node.inputs[0]
    script.add(sliced, reads=(gradient,), makes=((sliced, script.size(node.name)),))
    _weight_gradients(script, node, sliced, split)
    if script.trained[source]:
        _input_gradient(script, node, sliced, f"{split}'", script.size(source))
        script.give(node, 0, f"{split}'")


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
    """Three ways lead back: straight through the scale, and over the mean and the variance; they are added at the end.

    A product that is only summed comes first, then an array for each way. Of a frozen one, only the first.
    """
    if node.name in script.plan.frozen:
        script.give(node, 0, gradient, over=True)
        return
    size, source, name = script.size(node.name, full=True), script.normed(node), node.name
    direct, sums = f"{name}/direct", f"{name}/sums'"
    script.add(sums, reads=(gradient, source), scratch=size)
    if script.trained[node.inputs[0]]:
        script.add(direct, reads=(gradient,), makes=((direct, size),))
        script.give(node, 0, direct, source, over=True, after=(sums,), scratch=size.times(2))


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
    script.add(variance, reads=(source,), makes=((variance, size),), after=(f"{name}/deviation",))
    script.add(mean, makes=((mean, size),), after=(f"{name}/mean sums", f"{name}/deviation"))
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
