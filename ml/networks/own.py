"""Networks that people describe layer by layer: from their JSON to a sound `Network`. Nothing is executed or imported.

What is sent is untrusted. Its form is checked by `records.specs.network`, each layer's arguments in `own_layers`, names
and connections in `own_wiring`; here are shapes, limits and the end, and what the yard adds: a rescaling of the pixel
values in front, and the softmax behind. Everything that is wrong is told at once, each with its path in the spec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from ml.networks.errors import InvalidLayers, ShapeError, WindowTooLarge
from ml.networks.graph import IMAGES, LOGITS, PROBABILITIES, Network, Node
from ml.networks.layers import Activation, Layer, Rescaling, Shape
from ml.networks.own_layers import ACTIVATION, ParsedLayer, parse_layer
from ml.networks.own_wiring import Wiring, free_name, path_of, wire
from records.errors import FieldProblem
from records.specs.network import LayerSpec

NAME = "own"
"""What a network that somebody described is called."""
MOST_PARAMETERS = 200_000_000
MOST_ACTIVATIONS = 500_000_000
"""Numbers in the outputs of all layers together, for one image: 2 GB in 32 bits."""
MOST_PROBLEMS = 50
"""So many are told of at once."""
LARGEST_SEARCHED_PX = 4096


def draw_own(layers: Sequence[LayerSpec], input_shape: tuple[int, int, int], classes: int) -> Network:
    """The network that these layers make for images of this shape.

    Where the layers do not begin with a `Rescaling`, one by 1/255 is put before them. They end with the numbers that a
    softmax makes probabilities of, one a class, or with that softmax; both get the names that the yard knows them by.

    Args:
        layers: as they were sent.
        input_shape: height, width, channels.
        classes: how many probabilities are to come out.

    Raises:
        InvalidLayers: they make none; with all that was found wrong.
    """
    wiring = wire(layers)
    parsed = [parse_layer(spec, path_of(index)) for index, spec in enumerate(layers)]
    if classes < 2:
        raise InvalidLayers([FieldProblem("dataset", f"Expected at least 2 classes to tell apart, got {classes}.")])
    problems = [*wiring.problems, *(problem for one in parsed for problem in one.problems)]
    sizing = _size(wiring, parsed, input_shape)
    problems += sizing.problems
    if sizing.too_small:
        problems += _smallest(wiring, parsed, input_shape)
    if wiring.end is not None:
        problems += _check_end(wiring, parsed, sizing.shapes, classes)
    if problems:
        raise InvalidLayers(_first_ones(problems))
    return _assemble(wiring, parsed, input_shape)


# ── shapes and limits ────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class _Sizing:
    """The shape of every layer's output as far as it can be known, and what does not fit or is too large."""

    shapes: dict[str, Shape]
    problems: list[FieldProblem] = field(default_factory=list)
    too_small: bool = False
    """Whether larger images may help."""
    parameters: int = 0
    activations: int = 0


def _size(wiring: Wiring, parsed: Sequence[ParsedLayer], input_shape: tuple[int, int, int]) -> _Sizing:
    """Go through the layers in their order; what is fed by a layer of unknown shape stays unknown too."""
    sizing = _Sizing({IMAGES: input_shape})
    for index in wiring.order:
        layer, name, inputs = parsed[index].layer, wiring.names[index], wiring.inputs[index]
        if layer is None or not all(feeder in sizing.shapes for feeder in inputs):
            continue
        shapes = [sizing.shapes[feeder] for feeder in inputs]
        try:
            _check_inputs(layer, len(inputs))
            shape = layer.output_shape(*shapes)
        except ShapeError as error:
            sizing.too_small = sizing.too_small or isinstance(error, WindowTooLarge)
            sizing.problems.append(FieldProblem(path_of(index), f"Layer {name!r} does not fit: {error}."))
            continue
        weights = sum(weight.size for weight in layer.weights(*shapes))
        excess = _excess(sizing, name, parameters=weights, activations=prod(shape))
        if excess:
            sizing.problems.append(FieldProblem(_size_path(layer, index), excess))
            continue
        sizing.shapes[name] = shape
        sizing.parameters, sizing.activations = sizing.parameters + weights, sizing.activations + prod(shape)
    return sizing


def _check_inputs(layer: Layer, count: int) -> None:
    fewest, most = layer.inputs
    if count < fewest or (most is not None and count > most):
        expected = f"{fewest}" if most == fewest else f"{fewest} or more"
        raise ShapeError(f"it takes {expected} inputs, but gets {count}")


def _excess(sizing: _Sizing, name: str, *, parameters: int, activations: int) -> str | None:
    """What the limit on a network's size has against one more layer."""
    for what, before, more, limit in (
        ("parameters", sizing.parameters, parameters, MOST_PARAMETERS),
        ("numbers in all outputs, for one image", sizing.activations, activations, MOST_ACTIVATIONS),
    ):
        if before + more > limit:
            return (
                f"Expected at most {limit:,} {what}; layer {name!r} brings {more:,} to the {before:,} before it. "
                "Make it smaller."
            )
    return None


def _size_path(layer: Layer, index: int) -> str:
    """The argument that says how large a layer is, if it has one."""
    arguments = layer.options()
    return ".".join([path_of(index), *(name for name in ("units", "filters") if name in arguments)])


def _smallest(wiring: Wiring, parsed: Sequence[ParsedLayer], input_shape: tuple[int, int, int]) -> list[FieldProblem]:
    """How large images would have to be; nothing where no size helps. Doubled until it fits, then halved."""

    def fits(side: int) -> bool:
        return not _size(wiring, parsed, (side, side, input_shape[2])).problems

    low = high = max(1, min(input_shape[:2]))
    while not fits(high):
        low, high = high, 2 * high
        if high > LARGEST_SEARCHED_PX:
            return []
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    text = f"These layers need images of at least {high} x {high} px, got {input_shape[0]} x {input_shape[1]} px."
    return [FieldProblem("network.layers", text)]


def _first_ones(problems: Sequence[FieldProblem]) -> list[FieldProblem]:
    """In the order of the layers, and not hundreds of them."""
    ordered = sorted(
        problems,
        key=lambda problem: [
            (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in problem.path.split(".")
        ],
    )
    left = len(ordered) - MOST_PROBLEMS
    more = [FieldProblem("network.layers", f"There are {left} more problems.")] if left > 0 else []
    return [*ordered[:MOST_PROBLEMS], *more]


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────


def _check_end(
    wiring: Wiring, parsed: Sequence[ParsedLayer], shapes: dict[str, Shape], classes: int
) -> list[FieldProblem]:
    index = wiring.end
    assert index is not None
    problems = [*_check_last(wiring, parsed, index), *_check_reserved(wiring, parsed)]
    shape = shapes.get(wiring.names[index])
    if shape is None or shape == (classes,):
        return problems
    head = _head_index(wiring, parsed)
    layer = parsed[head].layer
    expected = f"Expected {classes} numbers for an image at the end, one a class"
    if len(shape) > 1:
        text = f"{expected}, got {shape}. Put a Flatten or a GlobalAveragePooling2D before the last layer."
        return [*problems, FieldProblem(path_of(head), text)]
    text = f"{expected}, got {shape[0]}."
    return [*problems, FieldProblem(_size_path(layer, head) if layer else path_of(head), text)]


def _check_last(wiring: Wiring, parsed: Sequence[ParsedLayer], index: int) -> list[FieldProblem]:
    """The last function may be a softmax or none."""
    last = parsed[index]
    function = last.layer.activation if isinstance(last.layer, Activation) else last.activation
    if function in (None, "linear"):
        return []
    path = f"{path_of(index)}.{ACTIVATION}"
    if function != "softmax":
        text = (
            f"A network ends in a softmax, or in a layer without an activation, to which one is added; got {function}."
        )
        return [FieldProblem(path, text)]
    if isinstance(last.layer, Activation) and wiring.inputs[index] == (IMAGES,):
        return [FieldProblem(path, "A softmax of the images themselves has nothing to learn. Put layers before it.")]
    return []


def _check_reserved(wiring: Wiring, parsed: Sequence[ParsedLayer]) -> list[FieldProblem]:
    """Two names belong to the end."""
    end, head = wiring.end, _head_index(wiring, parsed)
    # What an activation before the softmax gives are the logits, then, and not what its layer gives.
    heads = set() if head != end and parsed[head].activation else {head}
    allowed = {LOGITS: heads, PROBABILITIES: {end}}
    return [
        FieldProblem(f"{path_of(index)}.name", f"{name!r} is the yard's name for the end of a network. Give another.")
        for index, name in enumerate(wiring.names)
        if index not in allowed.get(name, {index})
    ]


def _head_index(wiring: Wiring, parsed: Sequence[ParsedLayer]) -> int:
    """The place of the layer whose numbers the last softmax takes: the last one, or the one before."""
    end = wiring.end
    assert end is not None
    (first, *_) = wiring.inputs[end]
    layer = parsed[end].layer
    if isinstance(layer, Activation) and layer.activation == "softmax" and first in wiring.names:
        return wiring.names.index(first)
    return end


# ── into a network ───────────────────────────────────────────────────────────────────────────────────────────


def _assemble(wiring: Wiring, parsed: Sequence[ParsedLayer], input_shape: tuple[int, int, int]) -> Network:
    """The sound layers as nodes, with activations as nodes of their own, and with what the yard adds."""
    taken = {IMAGES, LOGITS, PROBABILITIES, *wiring.names}
    nodes: list[Node] = []
    outputs = {IMAGES: IMAGES}
    if not any(isinstance(parsed[i].layer, Rescaling) and IMAGES in wiring.inputs[i] for i in wiring.order):
        outputs[IMAGES] = free_name("rescaling", taken)
        nodes.append(Node(outputs[IMAGES], Rescaling(1 / 255), (IMAGES,)))
    for index in wiring.order:
        layer, name = parsed[index].layer, wiring.names[index]
        assert layer is not None
        nodes.append(Node(name, layer, tuple(outputs[feeder] for feeder in wiring.inputs[index])))
        outputs[name] = name
        if activation := parsed[index].activation:
            outputs[name] = free_name(f"{name}_{ACTIVATION}", taken)
            nodes.append(Node(outputs[name], Activation(activation), (name,)))
    return Network(NAME, input_shape, tuple(_named_end(nodes)))


def _named_end(nodes: list[Node]) -> list[Node]:
    """The last layers under the names that training looks for, the softmax added where there is none."""
    last = nodes[-1]
    if not (isinstance(last.layer, Activation) and last.layer.activation == "softmax"):
        nodes = [*nodes, Node(PROBABILITIES, Activation("softmax"), (last.name,))]
    (head,) = nodes[-1].inputs
    names = {head: LOGITS, nodes[-1].name: PROBABILITIES}
    return [
        Node(names.get(node.name, node.name), node.layer, tuple(names.get(name, name) for name in node.inputs))
        for node in nodes
    ]
