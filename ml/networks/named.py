"""The networks that have a name: what they are, which options they take, and how one is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from ml.networks.alexnet import AlexNetOptions, alexnet
from ml.networks.cifar_resnet import SmallResNet, SmallResNetOptions
from ml.networks.convnext import ConvNeXtOptions, convnext_tiny
from ml.networks.dense import DenseOptions, dense
from ml.networks.efficientnet import EfficientNet, EfficientNetOptions, LargerEfficientNetOptions
from ml.networks.efficientnet_lite import EfficientNetLite
from ml.networks.efficientnet_v2 import BASE, SMALL, EfficientNetV2
from ml.networks.errors import InputTooSmall, NetworkError
from ml.networks.googlenet import GoogLeNetOptions, SEInceptionOptions, googlenet, se_inception
from ml.networks.graph import Network
from ml.networks.lenet5 import LeNet5Options, lenet5
from ml.networks.mobilenet_v2 import MobileNetV2Options, mobilenet_v2
from ml.networks.mobilenet_v3 import LARGE as LARGE_V3
from ml.networks.mobilenet_v3 import SMALL as SMALL_V3
from ml.networks.mobilenet_v3 import MobileNetV3, MobileNetV3Options
from ml.networks.plain_cnn import PlainCNNOptions, plain_cnn
from ml.networks.resnet import BottleneckOptions, ResNet, ResNetOptions, SEBottleneckOptions, SEResNetOptions
from ml.networks.simple_cnn import SimpleCNNOptions, simple_cnn
from ml.networks.squeezenet import SqueezeNetOptions, squeezenet
from ml.networks.vgg import VGG, VGGOptions
from ml.networks.xception import XceptionOptions, xception
from records.errors import near_matches, shorten
from records.specs.base import Strict

LARGEST_SEARCHED_PX = 1024
"""Up to this side the smallest image that works is searched for, so as to name it."""


@dataclass(frozen=True)
class NamedNetwork:
    """A network that people can ask for by name."""

    title: str
    paper: str
    function: Callable[[tuple[int, int, int], int, Any], Network]
    """Called with (input shape, classes, options)."""
    options: type[Strict]
    input_shape: tuple[int, int, int]
    """The images that the paper made it for: height, width, channels."""
    classes: int
    """The classes that the paper made it for."""

    def describe_options(self) -> list[dict[str, Any]]:
        """One entry an option, as plain data: name, type, default, choices, minimum, maximum, doc.

        `type` is JSON Schema's word; what an option does not have is None.
        """
        return describe_options(self.options)


IMAGENET = ((224, 224, 3), 1000)
CIFAR10 = ((32, 32, 3), 10)
MNIST = ((28, 28, 1), 10)

HE = "He, Zhang, Ren, Sun: Deep residual learning for image recognition (2015)"
SIMONYAN = "Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition (2014)"
HOWARD = "Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam: Searching for MobileNetV3 (2019)"
TAN = "Tan, Le: EfficientNet: rethinking model scaling for convolutional neural networks (2019)"
TAN_V2 = "Tan, Le: EfficientNetV2: smaller models and faster training (2021)"
HU = "Hu, Shen, Albanie, Sun, Wu: Squeeze-and-excitation networks (2018)"


def _resnet(depth: int, blocks: tuple[int, int, int, int], *, bottleneck: bool = False) -> NamedNetwork:
    function = ResNet(f"resnet{depth}", blocks, bottleneck)
    options = BottleneckOptions if bottleneck else ResNetOptions
    return NamedNetwork(f"ResNet-{depth}", HE, function, options, *IMAGENET)


def _se_resnet(depth: int, blocks: tuple[int, int, int, int], *, bottleneck: bool = False) -> NamedNetwork:
    function = ResNet(f"se_resnet{depth}", blocks, bottleneck)
    options = SEBottleneckOptions if bottleneck else SEResNetOptions
    return NamedNetwork(f"SE-ResNet-{depth}", HU, function, options, *IMAGENET)


def _small_resnet(depth: int) -> NamedNetwork:
    function = SmallResNet(f"resnet{depth}", (depth - 2) // 6)
    return NamedNetwork(f"ResNet-{depth} for small images", HE, function, SmallResNetOptions, *CIFAR10)


def _efficientnet(number: int, width: float, depth: float, side_px: int) -> NamedNetwork:
    function = EfficientNet(f"efficientnet_b{number}", width, depth)
    options = EfficientNetOptions if number < 2 else LargerEfficientNetOptions
    return NamedNetwork(f"EfficientNet-B{number}", TAN, function, options, (side_px, side_px, 3), 1000)


def _efficientnet_lite(number: int, width: float, depth: float, side_px: int) -> NamedNetwork:
    function = EfficientNetLite(f"efficientnet_lite{number}", width, depth)
    options = EfficientNetOptions if number < 2 else LargerEfficientNetOptions
    return NamedNetwork(f"EfficientNet-Lite{number}", TAN, function, options, (side_px, side_px, 3), 1000)


def _efficientnet_v2(number: int, width: float, depth: float, side_px: int) -> NamedNetwork:
    function = EfficientNetV2(f"efficientnet_v2_b{number}", BASE, 32, width, depth)
    return NamedNetwork(f"EfficientNetV2-B{number}", TAN_V2, function, EfficientNetOptions, (side_px, side_px, 3), 1000)


NETWORKS: dict[str, NamedNetwork] = {
    "lenet5": NamedNetwork(
        "LeNet-5",
        "LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition (1998)",
        lenet5,
        LeNet5Options,
        *MNIST,
    ),
    "dense": NamedNetwork(
        "Dense network",
        "Rumelhart, Hinton, Williams: Learning representations by back-propagating errors (1986)",
        dense,
        DenseOptions,
        *MNIST,
    ),
    "plain_cnn": NamedNetwork(
        "Plain convolutional network",
        SIMONYAN,
        plain_cnn,
        PlainCNNOptions,
        *CIFAR10,
    ),
    "simple_cnn": NamedNetwork(
        "Simple convolutional network (M3, M5, M7)",
        "An, Lee, Park, Yang, So: An ensemble of simple convolutional neural network models for MNIST digit "
        "recognition (2020)",
        simple_cnn,
        SimpleCNNOptions,
        *MNIST,
    ),
    "alexnet": NamedNetwork(
        "AlexNet",
        "Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks (2012)",
        alexnet,
        AlexNetOptions,
        *IMAGENET,
    ),
    "vgg16": NamedNetwork("VGG-16", SIMONYAN, VGG("vgg16", (2, 2, 3, 3, 3)), VGGOptions, *IMAGENET),
    "vgg19": NamedNetwork("VGG-19", SIMONYAN, VGG("vgg19", (2, 2, 4, 4, 4)), VGGOptions, *IMAGENET),
    "squeezenet": NamedNetwork(
        "SqueezeNet 1.1",
        "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: SqueezeNet: AlexNet-level accuracy with 50x fewer "
        "parameters and < 0.5 MB model size (2016)",
        squeezenet,
        SqueezeNetOptions,
        *IMAGENET,
    ),
    "googlenet": NamedNetwork(
        "GoogLeNet (Inception v1)",
        "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: "
        "Going deeper with convolutions (2014)",
        googlenet,
        GoogLeNetOptions,
        *IMAGENET,
    ),
    "resnet20": _small_resnet(20),
    "resnet32": _small_resnet(32),
    "resnet44": _small_resnet(44),
    "resnet56": _small_resnet(56),
    "resnet18": _resnet(18, (2, 2, 2, 2)),
    "resnet34": _resnet(34, (3, 4, 6, 3)),
    "resnet50": _resnet(50, (3, 4, 6, 3), bottleneck=True),
    "resnet101": _resnet(101, (3, 4, 23, 3), bottleneck=True),
    "resnet152": _resnet(152, (3, 8, 36, 3), bottleneck=True),
    "se_resnet18": _se_resnet(18, (2, 2, 2, 2)),
    "se_resnet34": _se_resnet(34, (3, 4, 6, 3)),
    "se_resnet50": _se_resnet(50, (3, 4, 6, 3), bottleneck=True),
    "se_inception": NamedNetwork("SE-Inception", HU, se_inception, SEInceptionOptions, *IMAGENET),
    "xception": NamedNetwork(
        "Xception",
        "Chollet: Xception: deep learning with depthwise separable convolutions (2017)",
        xception,
        XceptionOptions,
        (299, 299, 3),
        1000,
    ),
    "mobilenet_v2": NamedNetwork(
        "MobileNetV2",
        "Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: inverted residuals and linear bottlenecks (2018)",
        mobilenet_v2,
        MobileNetV2Options,
        *IMAGENET,
    ),
    "mobilenet_v3_small": NamedNetwork(
        "MobileNetV3 small",
        HOWARD,
        MobileNetV3("mobilenet_v3_small", SMALL_V3, 1024),
        MobileNetV3Options,
        *IMAGENET,
    ),
    "mobilenet_v3_large": NamedNetwork(
        "MobileNetV3 large",
        HOWARD,
        MobileNetV3("mobilenet_v3_large", LARGE_V3, 1280),
        MobileNetV3Options,
        *IMAGENET,
    ),
    "efficientnet_b0": _efficientnet(0, 1.0, 1.0, 224),
    "efficientnet_b1": _efficientnet(1, 1.0, 1.1, 240),
    "efficientnet_b2": _efficientnet(2, 1.1, 1.2, 260),
    "efficientnet_b3": _efficientnet(3, 1.2, 1.4, 300),
    "efficientnet_lite0": _efficientnet_lite(0, 1.0, 1.0, 224),
    "efficientnet_lite1": _efficientnet_lite(1, 1.0, 1.1, 240),
    "efficientnet_lite2": _efficientnet_lite(2, 1.1, 1.2, 260),
    "efficientnet_v2_b0": _efficientnet_v2(0, 1.0, 1.0, 224),
    "efficientnet_v2_b1": _efficientnet_v2(1, 1.0, 1.1, 240),
    "efficientnet_v2_b2": _efficientnet_v2(2, 1.1, 1.2, 260),
    "efficientnet_v2_b3": _efficientnet_v2(3, 1.2, 1.4, 300),
    "efficientnet_v2_s": NamedNetwork(
        "EfficientNetV2-S",
        TAN_V2,
        EfficientNetV2("efficientnet_v2_s", SMALL, 24),
        EfficientNetOptions,
        (384, 384, 3),
        1000,
    ),
    "convnext_tiny": NamedNetwork(
        "ConvNeXt-Tiny",
        "Liu, Mao, Wu, Feichtenhofer, Darrell, Xie: A ConvNet for the 2020s (2022)",
        convnext_tiny,
        ConvNeXtOptions,
        *IMAGENET,
    ),
}


def make_network(name: str, input_shape: tuple[int, int, int], classes: int, options: dict[str, Any]) -> Network:
    """The named network for images of this shape.

    Args:
        name: a key of `NETWORKS`.
        input_shape: height, width, channels.
        classes: how many probabilities come out; at least 2.
        options: arguments of the network by name; those left out have their defaults.

    Raises:
        NetworkError: no network has that name, an option is unknown or out of range, or the images are too small.
    """
    named = NETWORKS.get(name)
    if named is None:
        known = near_matches(name, list(NETWORKS))
        raise NetworkError("network.name", f"No network is called {shorten(name)!r}. {known}")
    _check_images(input_shape, classes)
    parsed = parse_options(named.options, options)
    try:
        return named.function(input_shape, classes, parsed)
    except InputTooSmall as error:
        text = _too_small(name, named, input_shape, classes, parsed)
        raise NetworkError("network.name", text) from error


def describe_options(options: type[Strict]) -> list[dict[str, Any]]:
    """One entry an option, as `NamedNetwork.describe_options` gives them."""
    properties = options.model_json_schema()["properties"]
    return [_describe(name, schema) for name, schema in properties.items()]


def _check_images(input_shape: tuple[int, int, int], classes: int) -> None:
    if len(input_shape) != 3 or min(input_shape) < 1:
        raise NetworkError("dataset", f"Expected images of (height, width, channels), got {input_shape}.")
    if classes < 2:
        raise NetworkError("dataset", f"Expected at least 2 classes to tell apart, got {classes}.")


def parse_options(cls: type[Strict], options: dict[str, Any]) -> Strict:
    """The options, strictly, so that "5" or true never passes for 5; lists may stand for tuples, as JSON has none.

    Raises:
        NetworkError: an option is unknown or out of range.
    """
    try:
        return cls.model_validate_json(json.dumps(options, default=repr), strict=True)
    except ValidationError as error:
        raise _option_error(cls, error) from error


def _option_error(cls: type[Strict], error: ValidationError) -> NetworkError:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    path = ".".join(["network.options", *(str(part) for part in first["loc"])])
    came = shorten(json.dumps(first["input"], default=repr))
    if first["type"] == "extra_forbidden":
        text = f"No option is called {shorten(name)!r}. {near_matches(name, list(cls.model_fields))}"
    elif first["type"] == "literal_error":  # of a union it has a path for each part, of which the option is enough
        path = f"network.options.{name}"
        choices = _choices(cls.model_json_schema()["properties"][name]) or []
        near = get_close_matches(str(first["input"]), map(str, choices), n=1)
        text = (
            f"Expected one of {', '.join(map(repr, choices))}, got {came}.{f' Did you mean {near[0]}?' if near else ''}"
        )
    else:
        text = f"{first['msg']}, got {came}."
    return NetworkError(shorten(path, 200), text)


def _too_small(name: str, named: NamedNetwork, input_shape: tuple[int, int, int], classes: int, options: Strict) -> str:
    came = f"{input_shape[0]} x {input_shape[1]} px"
    for side in range(min(input_shape[:2]) + 1, LARGEST_SEARCHED_PX + 1):
        try:
            named.function((side, side, input_shape[2]), classes, options)
        except InputTooSmall:
            continue
        return f"{name} needs images of at least {side} x {side} px with these options, got {came}."
    return f"{name} needs images of more than {LARGEST_SEARCHED_PX} px a side with these options, got {came}."


def _describe(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type", "string")
    items = schema.get("items", {})
    bounds = items if kind == "array" else schema
    return {
        "name": name,
        "type": f"array of {items.get('type', 'any')}" if kind == "array" else kind,
        "default": schema.get("default"),
        "choices": _choices(schema),
        "minimum": bounds.get("minimum"),
        "maximum": bounds.get("maximum"),
        "doc": schema.get("description", ""),
    }


def _choices(schema: dict[str, Any]) -> list[Any] | None:
    """The values that a schema lists, those of a union's parts together."""
    parts = [choice for part in schema.get("anyOf", ()) for choice in _choices(part) or ()]
    return parts or ([schema["const"]] if "const" in schema else schema.get("enum"))
