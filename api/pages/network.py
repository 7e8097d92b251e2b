"""The page of one network: its form, read from the address, and what the form asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from api.describing import DescribeRequest, ask_network
from api.pages.forms import show
from ml.networks import NETWORKS, NamedNetwork, Network, describe_network
from records.errors import FieldProblem, InvalidSpec, NotFound, near_matches, shorten
from records.specs import parse_as

_SIZES = {"height": "Height, px", "width_px": "Width, px", "channels": "Channels", "classes": "Classes"}
_OPTION = "option."
_PLACES = ("height", "width_px", "channels")


@dataclass(frozen=True)
class FormField:
    """One input of the form."""

    name: str
    label: str
    value: str
    help: str = ""
    choices: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_option(self) -> bool:
        """Whether it is an option of the network, and not its images."""
        return self.name.startswith(_OPTION)


def network_page(name: str, form: Mapping[str, str], drawing_path: str) -> dict[str, Any]:
    """What the page of a named network shows for the form that was sent; problems stand at their fields.

    Raises:
        NotFound: no network has this name.
    """
    named = _find(name)
    problems: tuple[FieldProblem, ...] = ()
    description = None
    try:
        description = describe_network(drawn_network(name, form))
    except InvalidSpec as error:
        problems = error.problems
    told = {_field_of(problem.path): problem.text for problem in problems}
    fields = _fields(named, form, told)
    known = {field.name for field in fields}
    sent = {key: value for key, value in form.items() if key in known}
    return {
        "name": name,
        "title": named.title,
        "paper": named.paper,
        "fields": fields,
        "problems": [problem.text for problem in problems if _field_of(problem.path) not in known],
        "description": description,
        "drawing_url": f"{drawing_path}?{urlencode(sent)}" if sent else drawing_path,
    }


def drawn_network(name: str, form: Mapping[str, str]) -> Network:
    """The network that the form asks for.

    Raises:
        NotFound: no network has this name.
        InvalidSpec: the form asks for what this network cannot be.
    """
    named = _find(name)
    sizes = {key: _number(form.get(key, ""), default) for key, default in _defaults(named).items()}
    options = {}
    for option in named.describe_options():
        text = form.get(_OPTION + option["name"])
        if text is not None and text != show(option["default"]):
            options[option["name"]] = _value(text, option)
    asked = {
        "network": {"name": name, "options": options},
        "input_shape": [sizes[place] for place in _PLACES],
        "classes": sizes["classes"],
    }
    return ask_network(parse_as(DescribeRequest, asked))


def _find(name: str) -> NamedNetwork:
    if name not in NETWORKS:
        raise NotFound(f"No network is called {shorten(repr(name))}. {near_matches(name, list(NETWORKS))}")
    return NETWORKS[name]


def _defaults(named: NamedNetwork) -> dict[str, int]:
    return dict(zip(_SIZES, (*named.input_shape, named.classes), strict=True))


def _fields(named: NamedNetwork, form: Mapping[str, str], told: Mapping[str, str]) -> list[FormField]:
    sizes = [
        FormField(key, _SIZES[key], form.get(key, str(default)), problem=told.get(key, ""))
        for key, default in _defaults(named).items()
    ]
    options = []
    for option in named.describe_options():
        key = _OPTION + option["name"]
        choices = tuple(map(str, option["choices"])) if option["choices"] else ()
        choices = ("true", "false") if option["type"] == "boolean" else choices
        value = form.get(key, show(option["default"]))
        options.append(FormField(key, option["name"], value, option["doc"], choices, told.get(key, "")))
    return [*sizes, *options]


def _field_of(path: str) -> str:
    """The field that a problem's path belongs to; an empty name where there is none."""
    head, _, rest = path.partition(".")
    if head == "input_shape":
        return _PLACES[int(rest)] if rest.isdigit() and int(rest) < len(_PLACES) else ""
    if path.startswith("network.options."):
        return _OPTION + path.split(".")[2]
    return head if head in _SIZES else ""


def _number(text: str, default: int) -> Any:
    """A whole number where the text is one; else the text, so that it is refused with its reason."""
    if not text.strip():
        return default
    return int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 20 else text


def _value(text: str, option: Mapping[str, Any]) -> Any:
    """An option's value as JSON has it; what is none is sent as text, and refused with its reason."""
    if option["type"] == "string":
        return text
    source = f"[{text}]" if option["type"].startswith("array") and not text.startswith("[") else text
    try:
        return json.loads(source)
    except (ValueError, RecursionError):
        return text
