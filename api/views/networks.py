"""Networks, named or of one's own, layer by layer."""

from __future__ import annotations

from typing import Any

from api.views.base import View


class NetworkOption(View):
    """An argument that a network takes."""

    name: str
    type: str
    default: Any
    choices: list[Any] | None
    minimum: float | None
    maximum: float | None
    doc: str


class PretrainedWeights(View):
    """Weights that somebody trained, which the yard knows by name."""

    name: str
    title: str
    options: dict[str, Any]
    """The network's options that go with them, where they are not its defaults."""
    input_shape: tuple[int, int, int]
    """Height, width, channels of the images that they were trained on."""
    classes: int | None
    """How many the last layer tells apart; null where the file ends before it."""
    file: str
    size_bytes: int | None
    """Null where it is not known."""
    digest: str
    """What the file is accepted by: `sha256:…`, or `md5:…` where the publisher gives no other."""
    licence: str
    source: str


class Network(View):
    """A network that has a name."""

    name: str
    title: str
    paper: str
    options: list[NetworkOption]
    input_shape: tuple[int, int, int]
    """Height, width, channels for which `parameters` holds."""
    classes: int
    parameters: int | None
    """With default options, without what only training has."""
    multiply_adds: int | None
    """For one image, forward."""
    weights: list[PretrainedWeights]
    """Pretrained weights that exist for it."""


class NetworkLayer(View):
    """What one layer is and costs, for one image, forward."""

    name: str
    type: str
    inputs: list[str]
    """The layers that feed it; `images` is the input."""
    output_shape: list[int]
    """Height, width, channels; or the number of values."""
    parameters: int
    trainable_parameters: int
    activation_bytes: int
    """Its output in 32-bit numbers."""
    multiply_adds: int
    receptive_field: tuple[int, int] | None
    """Height and width of what it sees, in pixels of the image, padding included; null for the whole image."""
    stride: tuple[int, int] | None
    """How far two neighbours' fields are apart, in pixels of the image; null where there are no neighbours."""
    auxiliary: bool
    """Whether only training has it."""


class NetworkTotals(View):
    """Sums over layers, for one image, forward, in 32-bit numbers."""

    layers: int
    parameters: int
    trainable_parameters: int
    weight_bytes: int
    activation_bytes: int
    multiply_adds: int


class NetworkLimits(View):
    """How large a network of one's own may be."""

    layers: int
    parameters: int
    activations: int
    """Numbers in the outputs of all layers, for one image."""


class NetworkDescription(View):
    """A network, layer by layer."""

    name: str
    """Of a named network; `own` for layers of one's own."""
    input_shape: tuple[int, int, int]
    """Height, width, channels."""
    classes: int
    layers: list[NetworkLayer]
    totals: NetworkTotals
    """Without what only training has."""
    training: NetworkTotals
    """With auxiliary heads, where a network has them."""
    limits: NetworkLimits
