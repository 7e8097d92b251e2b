"""The part of a classifier that sees: without its head, as what a network for segmentation stands on. Pure.

Chen, Papandreou, Kokkinos, Murphy, Yuille: DeepLab (2017) gave the atrous form: where maps would become smaller still,
they stay, and the windows behind are spread instead, so that weights mean what they meant and see as far as before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ml.networks.cut import cut_after
from ml.networks.errors import NetworkError
from ml.networks.graph import IMAGES, Draft, Network, Node
from ml.networks.heads import head_layers
from ml.networks.layers import AveragePooling2D, Conv2D, DepthwiseConv2D, Layer, MaxPooling2D
from ml.networks.receptive import receptive_views


@dataclass(frozen=True)
class Backbone:
    """The layers of a classifier up to its last maps."""

    name: str
    nodes: tuple[Node, ...]
    stride: int
    """How many times smaller its last maps are than the images."""
    taps: dict[int, str]
    """By how many times smaller than the images: the last layer of that size through which all behind it goes."""

    def draw(self, draft: Draft) -> str:
        """Add its layers to a draft; returns the last one's name."""
        for node in self.nodes:
            draft.add(node.name, node.layer, after=node.inputs)
        return draft.last


def body_of(network: Network, input_shape: tuple[int, int, int]) -> Network:
    """The layers of a classifier up to its last maps, for images of another size.

    Raises:
        NetworkError: it has no maps, or cannot take such images.
    """
    return replace(cut_after(network.main, [_last_maps(network.main)]), input_shape=input_shape)


def make_backbone(body: Network) -> Backbone:
    """What a network for segmentation stands on.

    Args:
        body: of `body_of`, perhaps made atrous.

    Raises:
        NetworkError: the sides of its maps do not follow from the image's by halving.
    """
    if not body.parameters:
        raise _unfit(f"{body.name} has no convolutions to stand on.")
    views, shapes = receptive_views(body), body.output_shapes
    height, width, _ = body.input_shape
    taps: dict[int, str] = {}
    steps: dict[int, str] = {}
    for name in _bridges(body.layers):
        stride = views[name].stride
        if stride is None or stride[0] != stride[1] or len(shapes[name]) != 3:
            continue
        steps[stride[0]] = name
        if (shapes[name][0] * stride[0], shapes[name][1] * stride[0]) == (height, width):
            taps[stride[0]] = name
    last = body.layers[-1].name
    for step, name in steps.items():
        if step not in taps or (step == max(steps) and taps[step] != last):
            raise _unfit(
                f"Layer {name!r} of {body.name} makes maps of {shapes[name][0]} x {shapes[name][1]} of images of "
                f"{height} x {width} px, which cannot be laid over others after doubling."
            )
    return Backbone(body.name, body.layers, max(taps), taps)


def make_atrous(body: Network, output_stride: int) -> Network:
    """The same layers, the last maps of which are at most `output_stride` times smaller than the images.

    Raises:
        NetworkError: they make maps smaller without padding, so that the windows cannot be spread.
    """
    step, spread_by = {IMAGES: 1}, {IMAGES: 1}  # by layer: how many times smaller its maps are, and how many they lack
    made = []
    for node in body.layers:
        before, factor = max(step[name] for name in node.inputs), max(spread_by[name] for name in node.inputs)
        stride = _stride(node.layer)
        held = stride > 1 and before * stride > output_stride
        layer = _held(node) if held else node.layer
        made.append(replace(node, layer=_spread(layer, factor)))
        step[node.name] = before if held else before * stride
        spread_by[node.name] = factor * stride if held else factor
    return Network(body.name, body.input_shape, tuple(made))


def _last_maps(main: Network) -> str:
    """What feeds the layer that takes all places at once, or where classes are maps, the layer before these."""
    nodes, (head, *_) = {node.name: node for node in main.layers}, head_layers(main)
    (name,) = nodes[head].inputs
    while name in nodes and len(main.output_shapes[name]) != 3 and len(nodes[name].inputs) == 1:
        (name,) = nodes[name].inputs
    if name == IMAGES or len(main.output_shapes[name]) != 3:
        raise _unfit(f"{main.name} has no maps before its layer {head!r}.")
    return name


def _bridges(nodes: tuple[Node, ...]) -> list[str]:
    """The layers through which all that lies behind them goes, so not those within a branch."""
    last_use = {name: number for number, node in enumerate(nodes) for name in node.inputs}
    found, furthest = [], last_use.get(IMAGES, 0)
    for number, node in enumerate(nodes):
        if furthest <= number:
            found.append(node.name)
        furthest = max(furthest, last_use.get(node.name, 0))
    return found


def _stride(layer: Layer) -> int:
    options = layer.options()
    strides = options.get("strides") or options.get("pool_size") or (1, 1)
    return max(strides)


def _held(node: Node) -> Layer:
    """The layer with strides of 1, so that its maps stay as large as they are."""
    layer = node.layer
    window = layer.options().get("kernel_size") or layer.options().get("pool_size")
    keeps_size = getattr(layer, "padding", None) == "same" or window == (1, 1)
    if isinstance(layer, (MaxPooling2D, AveragePooling2D)) and layer.strides in (None, layer.pool_size):
        return replace(layer, strides=(1, 1), padding="same")
    if not keeps_size or not isinstance(layer, (Conv2D, DepthwiseConv2D, MaxPooling2D, AveragePooling2D)):
        raise _unfit(
            f"Layer {node.name!r} ({layer.type}) makes maps smaller without padding, which cannot be undone by "
            "spreading the windows behind it."
        )
    return replace(layer, strides=(1, 1))


def _spread(layer: Layer, factor: int) -> Layer:
    if factor == 1 or not isinstance(layer, (Conv2D, DepthwiseConv2D)) or layer.kernel_size == (1, 1):
        return layer
    return replace(layer, dilation_rate=(factor * layer.dilation_rate[0], factor * layer.dilation_rate[1]))


def _unfit(why: str) -> NetworkError:
    known = "mobilenet_v2, efficientnet_lite0, resnet18 or vgg16"
    return NetworkError(
        "network.options.backbone",
        f"{why} Choose another backbone, such as {known}, and a crop_size that its stride divides.",
    )
