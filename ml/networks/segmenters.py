"""The networks that tell the class of every pixel: what they are, and how one is made. Pure.

Each stands on a backbone, the layers of a classifier without its head: a named one with random weights, one whose
weights have a name, or an earlier job's. Their last layers are maps as large as the image, `[height, width, classes]`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ml.networks.backbones import Backbone, body_of, make_atrous, make_backbone
from ml.networks.deeplab import DeepLabOptions, deeplab_v3plus
from ml.networks.errors import InputTooSmall, NetworkError
from ml.networks.fcn import FCN, FCNOptions
from ml.networks.graph import Network
from ml.networks.named import NETWORKS, describe_options, make_network, parse_options
from ml.networks.receptive import receptive_views
from ml.networks.unet import OWN, UNetOptions, unet
from records.errors import near_matches, shorten
from records.specs.base import Strict
from records.specs.network import NetworkSpec

WIDTHS = ("width", "alpha")
"""What the options of named networks call the factor on their filters."""
LONG = "Long, Shelhamer, Darrell: Fully convolutional networks for semantic segmentation (2015)"


@dataclass(frozen=True)
class Segmenter:
    """A network for segmentation that people can ask for by name."""

    title: str
    paper: str
    function: Callable[..., Network]
    """Called with (input shape, classes, options, backbone or None)."""
    options: type[Strict]
    atrous: bool = False
    """Whether it wants a backbone whose maps stop shrinking."""

    def describe_options(self) -> list[dict[str, Any]]:
        """One entry an option, as `ml.networks.named.NamedNetwork.describe_options` gives them."""
        return describe_options(self.options)


SEGMENTERS: dict[str, Segmenter] = {
    "unet": Segmenter(
        "U-Net",
        "Ronneberger, Fischer, Brox: U-Net: convolutional networks for biomedical image segmentation (2015)",
        unet,
        UNetOptions,
    ),
    "fcn32s": Segmenter("FCN-32s", LONG, FCN(32), FCNOptions),
    "fcn16s": Segmenter("FCN-16s", LONG, FCN(16), FCNOptions),
    "fcn8s": Segmenter("FCN-8s", LONG, FCN(8), FCNOptions),
    "deeplab_v3plus": Segmenter(
        "DeepLab v3+",
        "Chen, Zhu, Papandreou, Schroff, Adam: Encoder-decoder with atrous separable convolution for semantic image "
        "segmentation (2018)",
        deeplab_v3plus,
        DeepLabOptions,
        atrous=True,
    ),
}


def draw_segmenter(
    spec: NetworkSpec, input_shape: tuple[int, int, int], classes: int, base: Network | None = None
) -> Network:
    """The network that a spec asks for, for crops of this shape.

    Args:
        spec: a name with options.
        input_shape: height, width, channels.
        classes: at least 2.
        base: the classifier that it stands on; the one that the options name when left out.

    Raises:
        NetworkError: there is no such network for these crops.
    """
    if spec.name is None:
        raise NetworkError("network", "Expected a network for segmentation by its name. Own layers tell no pixels yet.")
    named = SEGMENTERS.get(spec.name)
    if named is None:
        text = f"No network for segmentation is called {shorten(spec.name)!r}. {near_matches(spec.name, SEGMENTERS)}"
        raise NetworkError("network.name", text)
    options = parse_options(named.options, dict(spec.options))
    if base is not None and {"backbone", "backbone_width"} & set(spec.options):
        raise NetworkError(
            "network.options.backbone", "Expected no backbone by name where `base` gives one. Leave one of both out."
        )
    return named.function(input_shape, classes, options, _backbone(named, input_shape, options, base))


def _backbone(
    named: Segmenter, input_shape: tuple[int, int, int], options: Any, base: Network | None
) -> Backbone | None:
    if base is None and options.backbone == OWN and isinstance(options, UNetOptions):
        if options.backbone_width != 1.0:
            raise NetworkError("network.options.backbone_width", "Expected a backbone by name with it; `own` has none.")
        _check_sides(input_shape, 2**options.depth)
        return None
    if isinstance(options, UNetOptions) and "depth" in options.model_fields_set:
        raise NetworkError("network.options.depth", "Expected it with `own` alone; other backbones have a depth.")
    try:
        body = body_of(_by_name(options, input_shape[2]) if base is None else base, input_shape)
    except InputTooSmall as error:
        raise NetworkError("crop_size", f"The crops are too small for the backbone. {error.text}") from error
    if named.atrous:
        body = make_atrous(body, options.output_stride)
    stride = receptive_views(body)[body.layers[-1].name].stride
    _check_sides(input_shape, max(stride or (1,)))
    return make_backbone(body)


def _check_sides(input_shape: tuple[int, int, int], stride: int) -> None:
    height, width, _ = input_shape
    if height % stride or width % stride:
        raise NetworkError(
            "crop_size",
            f"Expected a crop_size whose sides the network's stride of {stride} px divides, got {height} x {width}. "
            f"Take a multiple of {stride}.",
        )


def _by_name(options: Any, channels: int) -> Network:
    """The classifier as its paper has it, but for the channels; its head, which may want large images, is not kept."""
    name, width = options.backbone, options.backbone_width
    if name not in NETWORKS:
        known = near_matches(name, NETWORKS)
        raise NetworkError("network.options.backbone", f"No network is called {shorten(name)!r}. {known}")
    fields = NETWORKS[name].options.model_fields
    widths = [field for field in WIDTHS if field in fields]
    if width != 1 and not widths:
        raise NetworkError("network.options.backbone_width", f"{name} has no width. Leave backbone_width out.")
    chosen: dict[str, Any] = {widths[0]: width} if width != 1 else {}
    if "head" in fields:
        chosen["head"] = "means"
    return make_network(name, (*NETWORKS[name].input_shape[:2], channels), 2, chosen)
