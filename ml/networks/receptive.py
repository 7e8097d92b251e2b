"""How much of the image each layer sees, and how far its neighbours are apart. Pure arithmetic.

Araujo, Norris, Sim: Computing receptive fields of convolutional neural networks. Distill (2019). Sizes are in pixels of
the image, without a clip at its edges: a field may be larger than the image, the rest of it being padding. Where
branches meet, the largest field and the largest stride count. A layer that takes every place at once (a flattening, a
global pooling) sees the whole image, as does all that follows it. Where maps are made larger, steps become shorter; one
that would be less than a pixel counts as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ml.networks.graph import IMAGES, Network, Node
from ml.networks.layers.base import spread

Sides = tuple[int, int]


@dataclass(frozen=True)
class View:
    """What one number of a layer's output sees of the image; None stands for all of it."""

    field: Sides | None
    """Height and width that a change of a pixel must lie in to change the number."""
    stride: Sides | None
    """How far the fields of two neighbours are apart; None where there are no neighbours."""


PIXEL = View((1, 1), (1, 1))


def receptive_views(network: Network) -> dict[str, View]:
    """What every layer of the network sees, by name."""
    views = {IMAGES: PIXEL}
    for node in network.layers:
        met = _meet([views[name] for name in node.inputs])
        views[node.name] = _through(node, met, len(network.output_shapes[node.inputs[0]]))
    del views[IMAGES]
    return views


def _through(node: Node, view: View, axes: int) -> View:
    """r + (k - 1) · j and j · s, for a window of k with strides of s."""
    if node.layer.type in ("Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D"):
        return View(None, None)
    if node.layer.type == "Reshape" and axes > 1:
        return View(None, None)
    if view.stride is None:
        return view
    if node.layer.type in ("Conv2DTranspose", "UpSampling2D"):
        return _enlarged(node, view)
    window, strides = _window(node)
    stride = _sides(view.stride[i] * strides[i] for i in (0, 1))
    if view.field is None:
        return View(None, stride)
    return View(_sides(view.field[i] + (window[i] - 1) * view.stride[i] for i in (0, 1)), stride)


def _enlarged(node: Node, view: View) -> View:
    """A larger map: each place sees so many of the smaller one, and the steps between places are shorter."""
    assert view.stride is not None
    options = node.layer.options()
    if node.layer.type == "Conv2DTranspose":
        factors = options["strides"]
        seen = _sides(-(-options["kernel_size"][i] // factors[i]) for i in (0, 1))
    else:
        factors = options["size"]
        seen = (2, 2) if options["interpolation"] == "bilinear" else (1, 1)
    stride = _sides(-(-view.stride[i] // factors[i]) for i in (0, 1))
    if view.field is None:
        return View(None, stride)
    return View(_sides(view.field[i] + (seen[i] - 1) * view.stride[i] for i in (0, 1)), stride)


def _window(node: Node) -> tuple[Sides, Sides]:
    options = node.layer.options()
    if "kernel_size" in options:
        return spread(options["kernel_size"], options.get("dilation_rate", (1, 1))), options["strides"]
    if "pool_size" in options:
        return options["pool_size"], options.get("strides") or options["pool_size"]
    return (1, 1), (1, 1)


def _meet(views: list[View]) -> View:
    fields = [view.field for view in views]
    strides = [view.stride for view in views if view.stride is not None]
    known = [field for field in fields if field is not None]
    return View(
        _largest(known) if len(known) == len(fields) else None,
        _largest(strides) if strides else None,
    )


def _largest(sides: list[Sides]) -> Sides:
    return max(side[0] for side in sides), max(side[1] for side in sides)


def _sides(values: Iterable[int]) -> Sides:
    height, width = values
    return height, width
