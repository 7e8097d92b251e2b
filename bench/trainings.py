"""The trainings over which the estimates of memory are judged: those that constants were chosen on, and others.

`FITTED` served to choose the few constants of the estimates (`docs/estimates.md`). `HELD_OUT` never did: it was
written down before any of it was measured, and says how far the estimates are off elsewhere. Nobody may change a
constant because of what it shows, or it is no longer held out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ml.networks import Network, draw_network
from records.specs.network import NetworkSpec

CLASSES = 10


class Configuration(NamedTuple):
    """One training."""

    network: str
    """A name of the yard's, or a key of `OWN`."""
    side: int
    channels: int
    batch_size: int
    optimizer: str
    """`sgd`, `momentum`, `adam` or `adamw`, with their defaults."""
    options: dict[str, Any] = {}  # noqa: RUF012

    def draw(self) -> Network:
        """The network."""
        form = {"layers": OWN[self.network]} if self.network in OWN else {"name": self.network, "options": self.options}
        return draw_network(NetworkSpec.model_validate(form), (self.side, self.side, self.channels), CLASSES)


def _conv(filters: int, size: int = 3, **more: Any) -> dict[str, Any]:
    return {"type": "Conv2D", "filters": filters, "kernel_size": size, "padding": "same", **more}


def _stage(filters: int) -> list[dict[str, Any]]:
    return [
        _conv(filters, use_bias=False),
        {"type": "BatchNormalization"},
        {"type": "Activation", "activation": "relu"},
        _conv(filters, activation="relu"),
        {"type": "MaxPooling2D"},
    ]


OWN: dict[str, list[dict[str, Any]]] = {
    "own: three stages": [
        *_stage(48),
        *_stage(96),
        *_stage(192),
        {"type": "Flatten"},
        {"type": "Dropout", "rate": 0.5},
        {"type": "Dense", "units": 256, "activation": "relu"},
        {"type": "Dense", "units": CLASSES},
    ],
    "own: branches": [
        _conv(32, 5, strides=2, activation="elu", name="stem"),
        _conv(48, 1, activation="relu", name="narrow"),
        _conv(48, 3, activation="tanh", inputs=["stem"], name="wide"),
        {"type": "Concatenate", "inputs": ["narrow", "wide"], "name": "side_by_side"},
        _conv(96, 3, name="last"),
        {"type": "Add", "inputs": ["last", "side_by_side"]},
        {"type": "AveragePooling2D", "pool_size": 4},
        {"type": "Flatten"},
        {"type": "Dense", "units": 512, "activation": "gelu"},
        {"type": "Dense", "units": CLASSES},
    ],
    "own: separable, gelu": [
        _conv(64, 7, strides=4),
        {"type": "DepthwiseConv2D", "kernel_size": 5, "padding": "same"},
        {"type": "BatchNormalization"},
        _conv(192, 1, activation="gelu"),
        _conv(64, 1),
        {"type": "SeparableConv2D", "filters": 128, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"type": "Activation", "activation": "silu"},
        {"type": "LocalResponseNormalization"},
        {"type": "GlobalAveragePooling2D"},
        {"type": "Dense", "units": CLASSES},
    ],
    "own: gates": [
        _conv(64, activation="relu", name="stem"),
        {"type": "MaxPooling2D", "name": "pooled"},
        _conv(64, activation="sigmoid", name="gate"),
        {"type": "Multiply", "inputs": ["gate", "pooled"], "name": "gated"},
        _conv(128, 3, strides=2, activation="relu6"),
        {"type": "GlobalMaxPooling2D"},
        {"type": "Dense", "units": 1024, "activation": "relu"},
        {"type": "Dropout", "rate": 0.3},
        {"type": "Dense", "units": CLASSES},
    ],
}
"""Networks of one's own, as people send them."""

FITTED = (
    Configuration("lenet5", 28, 1, 128, "adam"),
    Configuration("lenet5", 28, 1, 1024, "adam"),
    Configuration("lenet5", 28, 1, 512, "momentum", {"variant": "classic"}),
    Configuration("dense", 28, 1, 1024, "adam"),
    Configuration("dense", 28, 1, 128, "adamw", {"hidden": [2048, 2048]}),
    Configuration("dense", 64, 3, 256, "adam"),
    Configuration("dense", 64, 3, 256, "sgd"),
    Configuration("plain_cnn", 32, 3, 128, "adam"),
    Configuration("plain_cnn", 64, 3, 64, "momentum"),
    Configuration("alexnet", 64, 3, 32, "adam"),
    Configuration("alexnet", 128, 3, 16, "adamw"),
    Configuration("alexnet", 224, 3, 8, "momentum"),
    Configuration("googlenet", 96, 3, 16, "adam"),
    Configuration("googlenet", 128, 3, 16, "sgd"),
    Configuration("googlenet", 224, 3, 4, "momentum"),
    Configuration("resnet20", 32, 3, 128, "momentum"),
    Configuration("resnet20", 32, 3, 32, "adam"),
    Configuration("resnet32", 28, 1, 64, "adam"),
    Configuration("resnet56", 32, 3, 32, "adam"),
    Configuration("resnet18", 64, 3, 32, "adam"),
    Configuration("resnet18", 224, 3, 4, "momentum"),
    Configuration("resnet34", 64, 3, 16, "adam"),
    Configuration("resnet34", 112, 3, 8, "momentum"),
    Configuration("resnet50", 64, 3, 32, "adam"),
    Configuration("resnet50", 128, 3, 8, "adamw"),
    Configuration("resnet50", 224, 3, 2, "adam"),
    Configuration("se_resnet18", 64, 3, 32, "adam"),
    Configuration("se_resnet34", 64, 3, 16, "sgd"),
    Configuration("se_resnet50", 96, 3, 8, "adam"),
    Configuration("se_inception", 64, 3, 32, "adam"),
    Configuration("xception", 96, 3, 8, "adam"),
    Configuration("xception", 128, 3, 8, "momentum"),
    Configuration("mobilenet_v2", 64, 3, 32, "adam"),
    Configuration("mobilenet_v2", 128, 3, 16, "momentum"),
    Configuration("resnet101", 64, 3, 8, "momentum"),
    Configuration("resnet152", 64, 3, 4, "adam"),
)

HELD_OUT = (
    Configuration("lenet5", 32, 3, 256, "sgd"),
    Configuration("lenet5", 28, 1, 512, "adamw", {"activation": "gelu", "downsampling": "convolution"}),
    Configuration("dense", 32, 3, 512, "momentum", {"hidden": [1024, 1024, 1024]}),
    Configuration("dense", 28, 1, 64, "sgd", {"hidden": [4096], "dropout": 0.0}),
    Configuration("plain_cnn", 100, 3, 32, "adam"),
    Configuration("plain_cnn", 48, 1, 128, "adamw", {"downsampling": "strides", "batch_norm": False}),
    Configuration("plain_cnn", 96, 3, 64, "sgd", {"downsampling": "average_pooling", "filters": [64, 64]}),
    Configuration("alexnet", 96, 3, 64, "sgd"),
    Configuration("alexnet", 160, 3, 16, "adam", {"groups": 1, "normalization": "batch"}),
    Configuration("googlenet", 32, 3, 32, "momentum", {"stem": "cifar", "width": 0.5}),
    Configuration("googlenet", 160, 3, 8, "adamw", {"auxiliary": False}),
    Configuration("resnet44", 32, 3, 64, "adamw"),
    Configuration("resnet20", 28, 1, 256, "sgd", {"width": 2.0, "shortcut": "projection"}),
    Configuration("resnet18", 32, 3, 64, "momentum", {"stem": "cifar"}),
    Configuration("resnet18", 160, 3, 16, "adamw"),
    Configuration("resnet34", 128, 3, 16, "adam", {"conv_bias": True}),
    Configuration("resnet50", 64, 3, 16, "sgd", {"stem": "cifar", "width": 0.5}),
    Configuration("resnet50", 160, 3, 4, "momentum", {"stride_in": "3x3"}),
    Configuration("resnet101", 96, 3, 4, "adamw"),
    Configuration("se_resnet18", 128, 3, 16, "momentum"),
    Configuration("se_resnet50", 64, 3, 16, "adamw"),
    Configuration("se_inception", 128, 3, 8, "sgd"),
    Configuration("xception", 72, 3, 16, "sgd", {"middle_blocks": 4}),
    Configuration("xception", 128, 3, 4, "adamw"),
    Configuration("mobilenet_v2", 96, 3, 32, "adamw", {"alpha": 1.4}),
    Configuration("mobilenet_v2", 160, 3, 8, "sgd"),
    Configuration("own: three stages", 64, 3, 32, "adam"),
    Configuration("own: branches", 96, 3, 32, "momentum"),
    Configuration("own: separable, gelu", 128, 3, 32, "adamw"),
    Configuration("own: gates", 64, 1, 64, "sgd"),
)
