"""Networks whose inner layers tell content and style apart: which layers, with which weights. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ml.networks.graph import Network
from ml.networks.named import make_network
from records.weights import IMAGENET_CLASSES, WEIGHTS, Weights


@dataclass(frozen=True)
class FeatureNetwork:
    """A pretrained network with the layers that style transfer looks at."""

    name: str
    title: str
    weights: str
    """The name of its pretrained weights, which name the network."""
    content: Mapping[str, float]
    """Layers that the content is compared in, with their shares."""
    style: Mapping[str, float]
    """Layers that the style is compared in, with their shares."""

    @property
    def source(self) -> Weights:
        """Its weights."""
        return WEIGHTS[self.weights]

    def draw(self, height: int, width: int) -> Network:
        """The network whole, for colour images of a size."""
        source = self.source
        return make_network(
            source.network, (height, width, 3), source.classes or IMAGENET_CLASSES, dict(source.options)
        )


def _alike(*names: str) -> dict[str, float]:
    return dict.fromkeys(names, 1 / len(names))


_VGG_STYLE = _alike(*(f"c{stage}_1_activation" for stage in range(1, 6)))
"""conv1_1 to conv5_1 of the paper, alike."""
_VGG_CONTENT = {"c4_2_activation": 1.0}
"""conv4_2 of the paper."""

FEATURE_NETWORKS: dict[str, FeatureNetwork] = {
    entry.name: entry
    for entry in (
        FeatureNetwork("vgg19", "VGG-19, ImageNet: the paper's", "vgg19_imagenet_notop", _VGG_CONTENT, _VGG_STYLE),
        FeatureNetwork("vgg16", "VGG-16, ImageNet", "vgg16_imagenet_notop", _VGG_CONTENT, _VGG_STYLE),
        FeatureNetwork(
            "hed_vgg16",
            "VGG-16's convolutions, trained on from ImageNet to find edges (HED)",
            "vgg16_hed_notop",
            _VGG_CONTENT,
            _VGG_STYLE,
        ),
        FeatureNetwork(
            "squeezenet",
            "SqueezeNet 1.1, ImageNet: small and quick",
            "squeezenet_imagenet_notop",
            {"fire3": 1.0},
            _alike("c1_activation", "fire3", "fire4", "fire5"),
        ),
    )
}
"""In the order in which `auto` tries them: the best first."""
AUTO = "auto"


def candidates(name: str) -> tuple[FeatureNetwork, ...]:
    """Those that a spec's `features` may turn out to be, the best first. Raises KeyError for a name that is none."""
    return tuple(FEATURE_NETWORKS.values()) if name == AUTO else (FEATURE_NETWORKS[name],)


def by_digest(digest: str) -> FeatureNetwork:
    """The feature network whose weights have this hash (`records.weights.Weights.digest`)."""
    return next(found for found in FEATURE_NETWORKS.values() if found.source.digest == digest)
