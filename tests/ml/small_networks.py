"""Options that make every named network small enough to train in seconds on images of 28 px."""

from __future__ import annotations

from typing import Any

from ml.networks import NETWORKS

SMALL: dict[str, dict[str, Any]] = {
    "lenet5": {},
    "dense": {"hidden": [32]},
    "plain_cnn": {"filters": [8, 16]},
    "simple_cnn": {"kernel": 7, "width": 0.25},
    "alexnet": {"stem": "cifar", "width": 0.125, "hidden": 32},
    "googlenet": {"stem": "cifar", "width": 0.1},
    "se_inception": {"stem": "cifar", "width": 0.1},
    "xception": {"stem": "cifar", "width": 0.1, "middle_blocks": 2},
    "mobilenet_v2": {"stem": "cifar", "alpha": 0.1},
    "mobilenet_v3_small": {"stem": "cifar", "alpha": 0.1},
    "mobilenet_v3_large": {"stem": "cifar", "alpha": 0.1},
    "vgg16": {"stem": "cifar", "width": 0.1, "hidden": 32},
    "vgg19": {"stem": "cifar", "width": 0.1, "head": "means"},
    "squeezenet": {"stem": "cifar", "width": 0.5, "dropout": 0.0},
    "convnext_tiny": {"patch": 2, "width": 0.1, "layer_scale": 1.0, "stochastic_depth": 0.1},
    **{f"efficientnet_{form}": {"stem": "cifar", "width": 0.1} for form in ("b0", "b1", "b2", "b3")},
    **{f"efficientnet_{form}": {"stem": "cifar", "width": 0.1} for form in ("lite0", "lite1", "lite2")},
    **{f"efficientnet_v2_{form}": {"stem": "cifar", "width": 0.1} for form in ("b0", "b1", "b2", "b3", "s")},
    **{f"resnet{depth}": {"width": 0.5} for depth in (20, 32, 44, 56)},
    **{f"resnet{depth}": {"stem": "cifar", "width": 0.1} for depth in (18, 34, 50, 101, 152)},
    **{f"se_resnet{depth}": {"stem": "cifar", "width": 0.1} for depth in (18, 34, 50)},
}

QUICK = (
    *(
        "lenet5",
        "dense",
        "plain_cnn",
        "simple_cnn",
        "alexnet",
        "vgg16",
        "squeezenet",
        "googlenet",
        "resnet18",
        "se_resnet50",
    ),
    *("xception", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_lite0", "efficientnet_v2_b0", "convnext_tiny"),
)
"""One of each kind; the others differ from them in depth."""

FASTEST = ("dense", "plain_cnn", "alexnet", "resnet18")
"""Those of them that are traced in a few seconds."""

DEEP = tuple(sorted(NETWORKS.keys() - set(QUICK)))
