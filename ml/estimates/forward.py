"""The forward pass: what each type of layer makes, keeps and throws away."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from ml.estimates.activations import INNER, SPLIT_GROUPS
from ml.estimates.lifetimes import NOTHING, Size
from ml.estimates.script import Script, option
from ml.networks import Node


def write_output(script: Script, node: Node) -> None:
    """The operations that make a layer's output; one new array where its type has no rule of its own."""
    fed = any(script.trained[name] for name in node.inputs)
    script.trained[node.name] = fed or bool(script.kernels(node))
    script.views[node.name] = node.name
    FORWARD.get(node.layer.type, _plain)(script, node)


def _plain(script: Script, node: Node) -> None:
    """Convolutions, dense layers, joins: one new array; bias and activation work in place."""
    script.add(
        node.name,
        reads=(*script.inputs(node), *script.weights(node)),
        makes=((node.name, script.size(node.name)),),
        multiply_adds=script.multiply_adds(node),
    )


def _in_place(script: Script, node: Node) -> None:
    script.add(
        node.name, reads=script.inputs(node), makes=((node.name, script.size(node.name)),), over=script.inputs(node)
    )


def _view(script: Script, node: Node) -> None:
    script.views[node.name] = script.views[node.inputs[0]]


def _activation(script: Script, node: Node) -> None:
    name = option(node, "activation")
    if name == "linear":
        _view(script, node)
        return
    inner = tuple((f"{node.name}/{i}", script.size(node.name)) for i in range(INNER.get(name, 0)))
    script.add(
        node.name,
        reads=script.inputs(node),
        makes=((node.name, script.size(node.name)), *inner),
        over=script.inputs(node),
    )


def _batch_norm(script: Script, node: Node) -> None:
    """The squared differences come and go before the output is there; a frozen one multiplies and adds in place.

    It computes in 32 bits whatever comes in, so in mixed precision a wide copy of its input is kept.
    """
    if node.name in script.plan.frozen:
        _in_place(script, node)
        return
    variance, source, wide = f"{node.name}/variance", script.normed(node), script.size(node.name, full=True)
    cast = (source,) != script.inputs(node)
    if cast:
        script.add(source, reads=script.inputs(node), makes=((source, wide),))
    script.add(variance, reads=(source,), scratch=wide)
    made, scratch = ((node.name, script.size(node.name)),), wide if cast else NOTHING
    script.add(node.name, reads=(source,), makes=made, after=(variance,), scratch=scratch)


def _dropout(script: Script, node: Node) -> None:
    """Random numbers become a mask of one byte a value; a frozen one hands on what it gets."""
    if node.name in script.plan.frozen:
        _view(script, node)
        return
    size, (source,) = script.size(node.name), script.inputs(node)
    numbers, scaled, mask = f"{node.name}/random", node.name, f"{node.name}/mask"
    count = Size(prod(script.network.output_shapes[node.name]))
    script.add(numbers, makes=((numbers, size),), after=(source,))
    script.add(scaled, reads=(source,), makes=((scaled, size),))
    script.add(mask, reads=(numbers,), makes=((mask, count),))


def _stochastic_depth(script: Script, node: Node) -> None:
    """Scaled, then whole images are put out; one number an image says which, and weighs nothing."""
    if node.name in script.plan.frozen:
        _view(script, node)
        return
    (source,), scaled, size = script.inputs(node), f"{node.name}/scaled", script.size(node.name)
    script.add(scaled, reads=(source,), makes=((scaled, size),), over=(source,))
    script.add(node.name, reads=(scaled,), makes=((node.name, size),), over=(scaled,))


def _layer_norm(script: Script, node: Node) -> None:
    """The squared differences come and go; scale and shift of each place are arrays of the input's size."""
    size, (source,), name = script.size(node.name), script.inputs(node), node.name
    squares, scale, shift, product = (f"{name}/{part}" for part in ("squares", "scale", "shift", "product"))
    script.add(squares, reads=(source,), makes=((squares, size),))
    script.add(f"{name}/variance", reads=(squares,))
    script.add(scale, makes=((scale, size),), after=(f"{name}/variance",))
    script.add(shift, reads=(scale,), makes=((shift, size),))
    script.add(product, reads=(source, scale), makes=((product, size),))
    script.add(name, reads=(product, shift), makes=((name, size),), over=(product, shift))


def _channel_order(script: Script, node: Node) -> None:
    """Each channel by itself, then joined again."""
    parts = f"{node.name}/parts"
    script.add(parts, reads=script.inputs(node), makes=((parts, script.size(node.name)),))
    script.add(node.name, reads=(parts,), makes=((node.name, script.size(node.name)),))


def _max_pool(script: Script, node: Node) -> None:
    """Besides the output, where each largest value was, a byte each."""
    places = Size(prod(script.network.output_shapes[node.name]))
    makes = ((node.name, script.size(node.name)), (f"{node.name}/places", places))
    script.add(node.name, reads=script.inputs(node), makes=makes)


def _lrn(script: Script, node: Node) -> None:
    """Squares, their sums, two roots, a power."""
    size, (source,), name = script.size(node.name), script.inputs(node), node.name
    script.add(f"{name}/squares", reads=(source,), makes=((f"{name}/squares", size),))
    script.add(f"{name}/sums", reads=(f"{name}/squares",), makes=((f"{name}/root", size),))
    script.add(f"{name}/root", reads=(f"{name}/root",), makes=((f"{name}/root4", size),))
    reads = (f"{name}/root", f"{name}/root4")
    script.add(f"{name}/power", reads=reads, makes=((f"{name}/power", size),))
    script.add(name, reads=(source, f"{name}/power"), makes=((name, size),))


def _separable(script: Script, node: Node) -> None:
    """The convolution of each map by itself is kept for the one across maps."""
    inner, weights = f"{node.name}/maps", script.weights(node)
    script.add(inner, reads=(*script.inputs(node), *weights[:1]), makes=((inner, script.between(node)),))
    script.add(
        node.name,
        reads=(inner, *weights[1:]),
        makes=((node.name, script.size(node.name)),),
        multiply_adds=script.multiply_adds(node),
    )


def _conv(script: Script, node: Node) -> None:
    groups = option(node, "groups")
    if not 1 < groups <= SPLIT_GROUPS:
        _plain(script, node)
        return
    (source,) = script.inputs(node)
    split, parts = f"{node.name}/split", f"{node.name}/parts"
    script.add(split, reads=(source,), makes=((split, script.size(node.inputs[0])),))
    script.add(
        parts,
        reads=(split, *script.weights(node)),
        makes=((parts, script.size(node.name)),),
        multiply_adds=script.multiply_adds(node),
    )
    script.add(node.name, reads=(parts,), makes=((node.name, script.size(node.name)),))


def _subsampling(script: Script, node: Node) -> None:
    """The mean is kept for the gradient of its coefficient."""
    size, mean = script.size(node.name), f"{node.name}/mean"
    script.add(mean, reads=script.inputs(node), makes=((mean, size),))
    script.add(node.name, reads=(mean,), makes=((node.name, size),))


FORWARD: dict[str, Callable[[Script, Node], None]] = {
    "Rescaling": _in_place,
    "Flatten": _view,
    "Reshape": _view,
    "Activation": _activation,
    "BatchNormalization": _batch_norm,
    "ChannelOrder": _channel_order,
    "Dropout": _dropout,
    "StochasticDepth": _stochastic_depth,
    "LayerNormalization": _layer_norm,
    "MaxPooling2D": _max_pool,
    "LocalResponseNormalization": _lrn,
    "SeparableConv2D": _separable,
    "Conv2D": _conv,
    "TrainableSubsampling2D": _subsampling,
    "Add": _in_place,
    "Multiply": _in_place,
}
