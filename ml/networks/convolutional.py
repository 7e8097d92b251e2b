"""Dense to convolutional: a classifier of images of one size becomes one that gives a map for any larger size.

Sermanet, Eigen, Zhang, Mathieu, Fergus, LeCun: OverFeat (2014), section 3.5; Long, Shelhamer, Darrell: Fully
convolutional networks for semantic segmentation (2015), section 3.1. A dense layer behind a flattening is a convolution
whose kernel covers all that the flattening saw; a dense layer behind it is one of 1 x 1. Each place of the map is what
the classifier says of one window of the image, and neighbouring windows share their work.

A mean over whole maps becomes a mean over the window; or it falls away, which gives class-activation maps (Zhou,
Khosla, Lapedriza, Oliva, Torralba: Learning deep features for discriminative localization, 2016).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ml.networks.errors import NetworkError
from ml.networks.graph import LOGITS, Network, Node
from ml.networks.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Layer,
    MaxPooling2D,
    Reshape,
    Shape,
    ZeroPadding2D,
)
from ml.networks.receptive import receptive_views

TRIED_TIMES = 4
"""How much larger than the classifier's images those are on which it is tried, along each side."""

GlobalPooling = Literal["window", "drop"]
"""What becomes of a mean over whole maps: `window` keeps it, over the classifier's own window; `drop` leaves it out, so
that each place is judged by itself."""


@dataclass(frozen=True)
class Convolutional:
    """A converted network, and how it belongs to the one that it came from."""

    native: Network
    """The classifier, without auxiliary heads."""
    network: Network
    """What it became, for the larger images: its output is `[height, width, classes]`."""
    kernels: Mapping[str, Shape]
    """By name, each layer that was dense, with the shape that its kernel takes: `[height, width, channels, units]`."""
    stride: tuple[int, int]
    """Pixels between the windows of neighbouring places, down and to the right."""
    padded: tuple[str, ...]
    """Layers that pad. Where there are some, a place differs from the classifier on a crop: the classifier pads the
    crop's edges, the map pads only the image's and sees what lies around the crop."""

    @property
    def window(self) -> tuple[int, int]:
        """Height and width of what one place is about, in pixels: the classifier's images."""
        return self.native.input_shape[:2]

    @property
    def places(self) -> tuple[int, int]:
        """Height and width of the map."""
        height, width, _ = self.network.output_shape
        return height, width


def convolutionalise(
    network: Network, input_shape: tuple[int, int, int], *, global_pooling: GlobalPooling = "window"
) -> Convolutional:
    """Convert a classifier for images of `input_shape`, at least as large as its own.

    The converted layers keep their names, so that weights find their place: those of a dense layer need only another
    shape (`kernels`), as a flattening puts values in the order height, width, channels, which is a kernel's.

    Raises:
        NetworkError: it has nothing to convert, or a layer that stands for one size of image.
        InputTooSmall: the images are smaller than the classifier's.
    """
    native = network.main
    conversion = _Conversion(native, global_pooling)
    for node in native.layers:
        conversion.take(node)
    if not conversion.converted:
        raise NetworkError("network", "Expected a network with dense layers or a global pooling, but it has neither.")
    made = Network(f"{native.name}_convolutional", input_shape, tuple(conversion.nodes))
    return Convolutional(
        native=native,
        network=made,
        kernels=conversion.kernels,
        stride=receptive_views(made)[LOGITS].stride,
        padded=tuple(node.name for node in made.layers if _pads(node.layer)),
    )


def canvas_shape(network: Network, size: tuple[int, int] | None) -> tuple[int, int, int]:
    """The shape of images of a size, in the network's channels; four times its own size where none is given."""
    height, width, channels = network.input_shape
    return (*(size or (TRIED_TIMES * height, TRIED_TIMES * width)), channels)


@dataclass
class _Conversion:
    """Takes the classifier's layers in their order, and collects what they become."""

    native: Network
    global_pooling: GlobalPooling
    nodes: list[Node] = field(default_factory=list)
    kernels: dict[str, Shape] = field(default_factory=dict)
    converted: bool = False
    _stands_for: dict[str, str] = field(default_factory=dict)
    """For layers that fall away, what feeds those behind them instead."""
    _flattened: dict[str, Shape] = field(default_factory=dict)
    """Layers whose values are flattened in the classifier but still maps here, with the maps' shape there."""

    def take(self, node: Node) -> None:
        """Convert one layer."""
        match node.layer:
            case Flatten():
                self._flatten(node)
            case GlobalAveragePooling2D() | GlobalMaxPooling2D():
                self._pool(node)
            case Dense():
                self._densely(node)
            case Reshape():
                raise _stuck(node, "it gives its values another shape, which holds for one size of image only")
            case Dropout():
                self._keep(node)
            case Activation(name) if name != "softmax":
                self._keep(node)
            case _:
                self._keep_if_maps(node)

    def _flatten(self, node: Node) -> None:
        source = node.inputs[0]
        shape = self.native.output_shapes[source]
        if len(shape) == 3:
            self._flattened[node.name] = shape
        elif source in self._flattened:
            self._flattened[node.name] = self._flattened[source]
        self._drop(node)

    def _pool(self, node: Node) -> None:
        height, width, _ = self.native.output_shapes[node.inputs[0]]
        if self.global_pooling == "drop" and isinstance(node.layer, GlobalAveragePooling2D):
            self._drop(node)
            return
        kind = AveragePooling2D if isinstance(node.layer, GlobalAveragePooling2D) else MaxPooling2D
        self._add(node, kind((height, width), strides=(1, 1)))

    def _densely(self, node: Node) -> None:
        dense, source = node.layer, node.inputs[0]
        assert isinstance(dense, Dense)
        height, width, channels = self._flattened.get(source, (1, 1, self.native.output_shapes[source][-1]))
        self.kernels[node.name] = (height, width, channels, dense.units)
        self._add(
            node,
            Conv2D(
                dense.units,
                (height, width),
                use_bias=dense.use_bias,
                kernel_initializer=dense.kernel_initializer,
            ),
        )

    def _keep(self, node: Node) -> None:
        """A layer that treats every value alike; flattened values stay to be flattened."""
        if node.inputs[0] in self._flattened:
            self._flattened[node.name] = self._flattened[node.inputs[0]]
        self.nodes.append(replace(node, inputs=self._sources(node)))

    def _keep_if_maps(self, node: Node) -> None:
        if any(name in self._flattened for name in node.inputs):
            what = "it normalises" if isinstance(node.layer, BatchNormalization) else "it takes"
            raise _stuck(node, f"{what} flattened values place by place; only a dense layer may follow a flattening")
        self.nodes.append(replace(node, inputs=self._sources(node)))

    def _add(self, node: Node, layer: Layer) -> None:
        self.converted = True
        self.nodes.append(Node(node.name, layer, self._sources(node)))

    def _drop(self, node: Node) -> None:
        self.converted = True
        self._stands_for[node.name] = self._sources(node)[0]

    def _sources(self, node: Node) -> tuple[str, ...]:
        return tuple(self._stands_for.get(name, name) for name in node.inputs)


def _pads(layer: Layer) -> bool:
    """Whether a layer sees zeros beyond the edge."""
    if isinstance(layer, ZeroPadding2D):
        return True
    options = layer.options()
    window = options.get("kernel_size") or options.get("pool_size") or (1, 1)
    return options.get("padding") == "same" and window != (1, 1)


def _stuck(node: Node, why: str) -> NetworkError:
    return NetworkError(
        f"network.layers.{node.name}",
        f"Layer {node.name!r} ({node.layer.type}) cannot be made convolutional: {why}.",
    )
