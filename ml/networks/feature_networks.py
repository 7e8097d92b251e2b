"""Networks whose inner layers tell content and style apart: which layers, with which weights. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FeatureNetwork:
    """A pretrained network with the layers that style transfer looks at."""

    name: str
    title: str
    network: str
    """The named network."""
    weights: str
    """The name of its pretrained weights."""
    content: Mapping[str, float]
    """Layers that the content is compared in, with their shares."""
    style: Mapping[str, float]
    """Layers that the style is compared in, with their shares."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the network."""


_VGG_STYLE = {f"c{stage}_1_activation": 0.2 for stage in range(1, 6)}
"""conv1_1 to conv5_1 of the paper, alike."""
_VGG_CONTENT = {"c4_2_activation": 1.0}
"""conv4_2 of the paper."""

FEATURE_NETWORKS: dict[str, FeatureNetwork] = {
    entry.name: entry
    for entry in (
        FeatureNetwork(
            "vgg19",
            "VGG-19, ImageNet: the paper's",
            "vgg19",
            "vgg19_imagenet_notop",
            _VGG_CONTENT,
            _VGG_STYLE,
            {"head": "means"},
        ),
        FeatureNetwork(
            "vgg16", "VGG-16, ImageNet", "vgg16", "vgg16_imagenet_notop", _VGG_CONTENT, _VGG_STYLE, {"head": "means"}
        ),
        FeatureNetwork(
            "hed_vgg16",
            "VGG-16's convolutions, trained on from ImageNet to find edges (HED)",
            "vgg16",
            "vgg16_hed_notop",
            _VGG_CONTENT,
            _VGG_STYLE,
            {"head": "means"},
        ),
    )
}
"""In the order in which `auto` tries them: the best first."""
