"""A network as data: named layers, each with the layers that feed it, and the arithmetic over them. No Keras.

The graph has one input, the raw images, and one output, its last layer; besides, it may have auxiliary heads, whose
losses help training and which are left out of what is kept. Its layers stand in an order in which every layer comes
after those that feed it. A `Network` that exists is sound: shapes fit, names are unique, nothing dangles.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Annotated, Any, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from ml.networks.errors import InputTooSmall, NetworkError, ShapeError, WindowTooLarge
from ml.networks.layers import LAYERS, Layer, Shape, Size, Weight
from records.errors import near_matches, shorten
from records.specs.base import Strict

IMAGES = "images"
"""The name of the input: images of raw values 0 to 255, `[height, width, channels]`."""
LOGITS = "logits"
"""The name of the last dense layer, which is linear; training takes its output."""
PROBABILITIES = "probabilities"
"""The name of the last layer, the softmax of the logits; the saved model gives its output."""

Name = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


@dataclass(frozen=True)
class Node:
    """A layer in its place."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    """The names of what feeds it, in order."""


@dataclass(frozen=True)
class Auxiliary:
    """A layer besides the last that is trained to tell the classes, as in GoogLeNet."""

    name: str
    """The layer: linear, of the shape of the last one."""
    weight: float
    """What its cross-entropy is multiplied by before it is added to the main one."""


class LayerRow(NamedTuple):
    """What one layer costs, for one image."""

    name: str
    type: str
    inputs: tuple[str, ...]
    output_shape: Shape
    parameters: int
    trainable_parameters: int
    activations: int
    """Numbers in its output."""
    multiply_adds: int
    auxiliary: bool = False
    """Whether only training has this layer."""


@dataclass(frozen=True)
class Network:
    """An architecture, before weights. Its sums and its table hold the auxiliary heads too; those of `main` do not.

    Raises:
        NetworkError: the layers do not make one sound graph.
    """

    name: str
    input_shape: tuple[int, int, int]
    """Height, width, channels."""
    layers: tuple[Node, ...]
    auxiliary: tuple[Auxiliary, ...] = ()
    """Heads that only training has."""

    def __post_init__(self) -> None:
        if not self.layers:
            raise NetworkError("network.layers", "Expected at least one layer, got none.")
        _ = self.output_shapes
        for index, head in enumerate(self.auxiliary):
            _check_head(head, self, f"network.auxiliary.{index}")
        _check_nothing_dangles(self.layers, {head.name for head in self.auxiliary})

    @cached_property
    def output_shapes(self) -> dict[str, Shape]:
        """The shape of the images and of every layer's output, by name."""
        shapes: dict[str, Shape] = {IMAGES: self.input_shape}
        for node in self.layers:
            if node.name in shapes:
                raise NetworkError(_path(node), f"Two layers are called {node.name!r}. Give each its own name.")
            shapes[node.name] = _output_shape(node, shapes)
        return shapes

    @property
    def output_shape(self) -> Shape:
        """The shape of the last layer's output."""
        return self.output_shapes[self.layers[-1].name]

    @property
    def classes(self) -> int:
        """How many probabilities come out."""
        return self.output_shape[-1]

    @cached_property
    def main(self) -> Network:
        """The network without its auxiliary heads: what predicts, and what is kept."""
        if not self.auxiliary:
            return self
        kept = self._main_names
        return Network(self.name, self.input_shape, tuple(node for node in self.layers if node.name in kept))

    @cached_property
    def weights(self) -> dict[str, tuple[Weight, ...]]:
        """The arrays that each layer keeps, by the layer's name."""
        shapes = self.output_shapes
        return {node.name: node.layer.weights(*(shapes[name] for name in node.inputs)) for node in self.layers}

    @cached_property
    def table(self) -> tuple[LayerRow, ...]:
        """One row a layer, in the order of the graph."""
        return tuple(self._row(node) for node in self.layers)

    @property
    def parameters(self) -> int:
        """Numbers in all weights, trained or not."""
        return sum(row.parameters for row in self.table)

    @property
    def trainable_parameters(self) -> int:
        """Numbers in the weights that training changes."""
        return sum(row.trainable_parameters for row in self.table)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one image, forward."""
        return sum(row.multiply_adds for row in self.table)

    @property
    def activations(self) -> int:
        """Numbers in the outputs of all layers, for one image."""
        return sum(row.activations for row in self.table)

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` takes; `json.dumps` does too."""
        return {
            "name": self.name,
            "input_shape": list(self.input_shape),
            "layers": [
                {
                    "name": node.name,
                    "type": node.layer.type,
                    "inputs": list(node.inputs),
                    "options": _listed(node.layer.options()),
                }
                for node in self.layers
            ],
            "auxiliary": [{"name": head.name, "weight": head.weight} for head in self.auxiliary],
        }

    @classmethod
    def from_json(cls, data: Any) -> Network:
        """The network in plain data, whoever sent it: nothing is executed or imported.

        Raises:
            NetworkError: the data is not of that form, or makes no sound graph.
        """
        form = _validate(TypeAdapter(_Form), data, "network")
        nodes = [
            Node(entry.name, _parse_layer(entry, f"network.layers.{index}"), entry.inputs)
            for index, entry in enumerate(form.layers)
        ]
        heads = tuple(Auxiliary(head.name, head.weight) for head in form.auxiliary)
        return cls(form.name, form.input_shape, tuple(nodes), heads)

    @cached_property
    def _main_names(self) -> frozenset[str]:
        """The layers that the last one needs, itself among them."""
        needed = {self.layers[-1].name}
        for node in reversed(self.layers):
            if node.name in needed:
                needed.update(node.inputs)
        return frozenset(needed)

    def _row(self, node: Node) -> LayerRow:
        shapes = [self.output_shapes[name] for name in node.inputs]
        weights = self.weights[node.name]
        output_shape = self.output_shapes[node.name]
        return LayerRow(
            name=node.name,
            type=node.layer.type,
            inputs=node.inputs,
            output_shape=output_shape,
            parameters=sum(weight.size for weight in weights),
            trainable_parameters=sum(weight.size for weight in weights if weight.trainable),
            activations=prod(output_shape),
            multiply_adds=node.layer.multiply_adds(*shapes),
            auxiliary=node.name not in self._main_names,
        )


class Draft:
    """A network while it is drawn, layer by layer; each follows the one before unless `after` says otherwise."""

    def __init__(self, name: str, input_shape: tuple[int, int, int]) -> None:
        self._name = name
        self._input_shape = input_shape
        self._nodes: list[Node] = []
        self._heads: list[Auxiliary] = []

    @property
    def last(self) -> str:
        """The name of the layer that was added last, or of the images."""
        return self._nodes[-1].name if self._nodes else IMAGES

    def add(self, name: str, layer: Layer, *, after: str | Sequence[str] | None = None) -> str:
        """Add a layer, fed by one name or by several; returns its name, to branch from."""
        if after is None:
            after = self.last
        inputs = (after,) if isinstance(after, str) else tuple(after)
        self._nodes.append(Node(name, layer, inputs))
        return name

    def add_head(self, name: str, weight: float) -> None:
        """Make a layer that was added an auxiliary head; its loss counts with this weight."""
        self._heads.append(Auxiliary(name, weight))

    def finish(self) -> Network:
        """The network.

        Raises:
            NetworkError: the layers do not fit each other or the images.
        """
        return Network(self._name, self._input_shape, tuple(self._nodes), tuple(self._heads))


# ── soundness ────────────────────────────────────────────────────────────────────────────────────────────────


def _path(node: Node) -> str:
    return f"network.layers.{node.name}"


def _output_shape(node: Node, shapes: dict[str, Shape]) -> Shape:
    _check_inputs(node, shapes)
    try:
        return node.layer.output_shape(*(shapes[name] for name in node.inputs))
    except WindowTooLarge as error:
        raise InputTooSmall(_path(node), f"Layer {node.name!r} does not fit: {error}.") from error
    except ShapeError as error:
        raise NetworkError(_path(node), f"Layer {node.name!r} does not fit: {error}.") from error


def _check_inputs(node: Node, shapes: dict[str, Shape]) -> None:
    fewest, most = node.layer.inputs
    if len(node.inputs) < fewest or (most is not None and len(node.inputs) > most):
        expected = f"{fewest}" if most == fewest else f"{fewest} or more"
        raise NetworkError(
            _path(node), f"Layer {node.name!r} ({node.layer.type}) takes {expected} inputs, got {len(node.inputs)}."
        )
    for name in node.inputs:
        if name not in shapes:
            raise NetworkError(
                _path(node),
                f"Layer {node.name!r} is fed by {shorten(name)!r}, which does not stand before it. "
                f"{near_matches(name, list(shapes))}",
            )


def _check_head(head: Auxiliary, network: Network, path: str) -> None:
    shapes = network.output_shapes
    if head.name not in shapes:
        raise NetworkError(path, f"No layer is called {shorten(head.name)!r}. {near_matches(head.name, list(shapes))}")
    if head.name in (IMAGES, network.layers[-1].name) or shapes[head.name] != network.output_shape:
        raise NetworkError(
            path,
            f"Expected a layer of the last one's shape {network.output_shape}, but not that layer itself, as an "
            f"auxiliary head; got {head.name!r} of {shapes[head.name]}.",
        )


def _check_nothing_dangles(layers: Sequence[Node], heads: set[str]) -> None:
    used = {name for node in layers for name in node.inputs} | heads
    for node in layers[:-1]:
        if node.name not in used:
            raise NetworkError(_path(node), f"Layer {node.name!r} feeds nothing. Connect it or leave it out.")


# ── the JSON form ────────────────────────────────────────────────────────────────────────────────────────────


class _LayerForm(Strict):
    name: Name
    type: Annotated[str, Field(max_length=100)]
    inputs: Annotated[tuple[Name, ...], Field(max_length=1000)]
    options: dict[str, Any] = Field(default_factory=dict)


class _HeadForm(Strict):
    name: Name
    weight: Annotated[float, Field(gt=0.0, le=100.0)]


class _Form(Strict):
    name: Name
    input_shape: tuple[Size, Size, Size]
    layers: Annotated[tuple[_LayerForm, ...], Field(min_length=1, max_length=10_000)]
    auxiliary: Annotated[tuple[_HeadForm, ...], Field(max_length=10)] = ()


def _parse_layer(form: _LayerForm, path: str) -> Layer:
    cls = LAYERS.get(form.type)
    if cls is None:
        raise NetworkError(f"{path}.type", f"No layer is called {form.type!r}. {near_matches(form.type, list(LAYERS))}")
    layer: Layer = _validate(TypeAdapter(cls), form.options, f"{path}.options")
    return layer


def _validate(adapter: TypeAdapter[Any], data: Any, path: str) -> Any:
    """Validate as JSON, in which a list may stand for a tuple; nothing else is converted."""
    try:
        return adapter.validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join([path, *(str(part) for part in first["loc"])])
        raise NetworkError(shorten(where, 200), f"{first['msg']}, got {shorten(repr(first['input']))}.") from error
    except (ValueError, RecursionError) as error:
        raise NetworkError(path, f"Expected plain JSON data: {shorten(error)}.") from error


def _listed(options: dict[str, Any]) -> dict[str, Any]:
    """Tuples as lists, as JSON has them."""
    listed: dict[str, Any] = json.loads(json.dumps(options))
    return listed
