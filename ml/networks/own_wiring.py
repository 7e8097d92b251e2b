"""Which layer feeds which in a network that somebody described: names, inputs, order, cycles, the end. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from ml.networks.graph import IMAGES
from records.errors import FieldProblem, near_matches, shorten
from records.specs.network import LayerSpec

MOST_WIRES = 10_000
"""Inputs of all layers together."""


@dataclass
class Wiring:
    """The layers by their place in the list; what is known of a network before its layers are looked into."""

    names: list[str]
    inputs: list[tuple[str, ...]]
    order: list[int] = field(default_factory=list)
    """Places such that every layer comes after those that feed it; without those that wait for themselves."""
    end: int | None = None
    """The only layer that feeds no other; None where there is not one."""
    problems: list[FieldProblem] = field(default_factory=list)


def wire(layers: Sequence[LayerSpec]) -> Wiring:
    """Names and order of the layers, with all that is wrong about them."""
    names, problems = _names(layers)
    inputs = [spec.inputs or ((names[index - 1],) if index else (IMAGES,)) for index, spec in enumerate(layers)]
    wiring = Wiring(names, inputs, problems=problems)
    if sum(map(len, inputs)) > MOST_WIRES:
        text = f"Expected at most {MOST_WIRES:,} inputs in all, got {sum(map(len, inputs)):,}."
        wiring.problems.append(FieldProblem("network.layers", text))
    if wiring.problems:
        return wiring  # with names in doubt, what feeds what is in doubt too
    _check_inputs(wiring)
    _sort(wiring)
    _find_end(wiring)
    return wiring


def free_name(wanted: str, taken: set[str]) -> str:
    """The name, or the first with a number behind it that is not taken; it is taken from now on."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name


def path_of(index: int) -> str:
    """Where a layer stands in a spec."""
    return f"network.layers.{index}"


def _names(layers: Sequence[LayerSpec]) -> tuple[list[str], list[FieldProblem]]:
    """Given names, and made ones for the rest, in Keras's manner: `conv2d`, `max_pooling2d_2`."""
    taken, problems = {IMAGES}, []
    for index, spec in enumerate(layers):
        if spec.name is None:
            continue
        if spec.name in taken:
            whose = "the input's" if spec.name == IMAGES else "another layer's"
            text = f"{spec.name!r} is {whose} name. Give each layer its own."
            problems.append(FieldProblem(f"{path_of(index)}.name", text))
        taken.add(spec.name)
    return [spec.name or free_name(_plain_name(spec.type), taken) for spec in layers], problems


def _plain_name(layer_type: str) -> str:
    """A name made from a type, whatever was sent as one."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", "".join(re.findall("[A-Za-z0-9]", layer_type)))
    return words.lower()[:80] or "layer"


def _check_inputs(wiring: Wiring) -> None:
    known = {IMAGES, *wiring.names}
    for index, inputs in enumerate(wiring.inputs):
        for place, name in enumerate(inputs):
            if name not in known:
                text = f"No layer is called {shorten(name)!r}. {near_matches(name, wiring.names[:50])}"
                wiring.problems.append(FieldProblem(f"{path_of(index)}.inputs.{place}", text))


def _sort(wiring: Wiring) -> None:
    """Fill `order` (Kahn 1962), the layers in the order of the list as far as that can be; tell of a cycle."""
    places = {name: index for index, name in enumerate(wiring.names)}
    feeders = [{places[name] for name in inputs if name in places} for inputs in wiring.inputs]
    fed: list[list[int]] = [[] for _ in wiring.names]
    for index, before in enumerate(feeders):
        for feeder in before:
            fed[feeder].append(index)
    missing = [len(before) for before in feeders]
    ready = [index for index, count in enumerate(missing) if not count]  # sorted, and so a heap
    while ready:
        index = heappop(ready)
        wiring.order.append(index)
        for follower in fed[index]:
            missing[follower] -= 1
            if not missing[follower]:
                heappush(ready, follower)
    waiting = {index for index, count in enumerate(missing) if count}
    if waiting:
        wiring.problems.append(_cycle(wiring.names, feeders, waiting))


def _cycle(names: Sequence[str], feeders: Sequence[set[int]], waiting: set[int]) -> FieldProblem:
    """Go from a layer that waits to one that it waits for, until one comes again."""
    walk = [min(waiting)]
    while walk[-1] not in walk[:-1]:
        walk.append(min(feeders[walk[-1]] & waiting))
    cycle = walk[walk.index(walk[-1]) :]
    first = min(cycle)
    turn = cycle.index(first)
    round_trip = [*cycle[turn:-1], *cycle[:turn], first]
    shown = " ← ".join(names[index] for index in round_trip)
    return FieldProblem(
        f"{path_of(first)}.inputs", f"Layer {names[first]!r} is fed by itself: {shorten(shown, 300)}. Break the circle."
    )


def _find_end(wiring: Wiring) -> None:
    used = {name for inputs in wiring.inputs for name in inputs}
    ends = [index for index, name in enumerate(wiring.names) if name not in used]
    if not ends:
        return  # every layer feeds one, so there is a cycle, which has been told of
    wiring.end = ends.pop()
    for index in ends:
        text = (
            f"Layer {wiring.names[index]!r} feeds nothing, and so does {wiring.names[wiring.end]!r}; a network has one "
            "output. Connect it or leave it out."
        )
        wiring.problems.append(FieldProblem(path_of(index), text))
