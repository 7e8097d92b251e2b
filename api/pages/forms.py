"""A spec's JSON Schema as a form: which fields, in which groups, with which widget. Pure; knows no job kind by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

_YARD_FIELDS = ("priority", "max_retries", "time_limit_s", "threads", "exclusive")
"""Fields that every spec has; they come last, under their own heading."""
_SAVING_MEMORY = ("micro_batch", "precision", "recompute", "on_oom")
"""Fields of every training; they come behind its own, under `more`."""
_UNITS = {"s": "seconds", "px": "pixels", "bytes": "bytes", "degrees": "degrees"}


@dataclass(frozen=True)
class Field:
    """One input."""

    path: str
    """Dotted, as in the problems that the API reports."""
    id: str
    """Unique in the page; variants of one choice may share a path."""
    type: str
    """What its text stands for: `integer`, `number`, `boolean`, `string`, `list` or `any`."""
    help: str = ""
    default: Any = None
    choices: Sequence[Any] | None = None
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    explicit: bool = False
    """Whether it is sent though it has its default: the class that it lies in has another."""
    widget: str = "field"

    @property
    def label(self) -> str:
        """The last part of the path, in words."""
        return label(self.path)

    @property
    def shown(self) -> str:
        """The default as a person would type it."""
        return show(self.default)


@dataclass(frozen=True)
class Variant:
    """One branch of a choice, with the fields that it brings."""

    name: str
    help: str
    fields: Sequence[Node]


@dataclass(frozen=True)
class Choice:
    """An object of one of several classes, told apart by `tag`."""

    path: str
    id: str
    variants: Sequence[Variant]
    default: str | None
    help: str = ""
    tag: str = "name"
    widget: str = "choice"

    @property
    def label(self) -> str:
        """The last part of the path, in words."""
        return label(self.path)


@dataclass(frozen=True)
class Optional:
    """An object that may be left out as a whole."""

    path: str
    id: str
    help: str
    fields: Sequence[Node]
    is_on: bool = False
    """Whether it is there where nothing is said."""
    widget: str = "optional"

    @property
    def label(self) -> str:
        """The last part of the path, in words."""
        return label(self.path)


@dataclass(frozen=True)
class Group:
    """An object that is always there."""

    path: str
    id: str
    help: str
    fields: Sequence[Node]
    widget: str = "group"

    @property
    def label(self) -> str:
        """The last part of the path, in words."""
        return label(self.path)


Node = Field | Choice | Optional | Group


@dataclass(frozen=True)
class Form:
    """A whole spec: what most people set, what some do, and what the yard may spend on it."""

    main: Sequence[Node]
    more: Sequence[Node]
    yard: Sequence[Node]


def make_form(schema: Schema, *, datasets: Sequence[str], networks: Mapping[str, Sequence[Mapping[str, Any]]]) -> Form:
    """The form of a spec class.

    Args:
        schema: its JSON Schema; from the first field that may be null on, fields go under `more`.
        datasets: names to offer for a field called `dataset`.
        networks: for each name to offer for a field called `network`, its options as `describe_options` gives them.
    """
    made: dict[str, Node] = {}
    for name, part in schema["properties"].items():
        if name == "kind" or "const" in part:
            continue
        if name == "network":
            made[name] = _network(networks)
        elif name == "dataset" and not _is_nullable(part):
            made[name] = Field("dataset", "dataset", "string", "", datasets[0], list(datasets), required=True)
        else:
            made[name] = _node(name, part, schema, required=name in schema.get("required", ()))
    own = [name for name in made if name not in (*_YARD_FIELDS, *_SAVING_MEMORY, "name")]
    own += [name for name in _SAVING_MEMORY if name in made]
    cut = next((i for i, name in enumerate(own) if _is_nullable(schema["properties"][name])), len(own))
    main = sorted((name for name in ("name", *own[:cut]) if name in made), key=lambda name: _rank(name, made[name]))
    return Form(
        main=[made[name] for name in main],
        more=[made[name] for name in own[cut:]],
        yard=[made[name] for name in _YARD_FIELDS if name in made],
    )


def label(path: str) -> str:
    """`schedule.warmup_fraction` as `Warmup fraction`; a unit at the end is spelt out."""
    words = path.rsplit(".", 1)[-1].split("_")
    if len(words) > 1 and words[-1] in _UNITS:
        words = [*words[:-2], f"{words[-2]},", _UNITS[words[-1]]]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def show(value: Any) -> str:
    """A JSON value as a person would type it into a form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(show(item) for item in value)
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _node(path: str, part: Schema, root: Schema, *, required: bool = False, scope: str = "") -> Node:
    part = {**_resolve(part, root), **{name: value for name, value in part.items() if name != "$ref"}}
    key = _id(path, scope)
    if "discriminator" in part:
        return _choice(path, key, part, root)
    if "properties" in part:
        return Group(path, key, _help(part), _fields(path, part, root, default=part.get("default")))
    inner = [_resolve(p, root) for p in part.get("anyOf", ()) if p.get("type") != "null"]
    if len(inner) == 1 and "properties" in inner[0]:
        default = part.get("default")
        fields = _fields(path, inner[0], root, default=default)
        return Optional(path, key, _help(part) or _help(inner[0]), fields, is_on=default is not None)
    if len(inner) == 1 and "discriminator" in inner[0]:
        return _choice(path, key, {**inner[0], **part}, root, may_be_absent=True)
    if len(inner) > 1:
        explicit = bool(part.get("explicit"))
        return Field(path, key, "any", _help(part), part.get("default"), required=required, explicit=explicit)
    return _field(path, key, {**(inner[0] if inner else {}), **part}, required=required)


def _fields(path: str, part: Schema, root: Schema, *, default: Any, scope: str = "", but: str = "") -> list[Node]:
    """The fields of an object; where it has a default of its own, theirs are what that holds."""
    needed, made = part.get("required", ()), []
    for name, inner in part["properties"].items():
        if name == but:
            continue
        if default is not None and name in default and default[name] != inner.get("default"):
            inner = {**inner, "default": default[name], "explicit": True}
        made.append(_node(f"{path}.{name}", inner, root, required=name in needed, scope=scope))
    return made


def _field(path: str, key: str, part: Schema, *, required: bool) -> Field:
    boxes = part.get("items", {}).get("enum") if part.get("type") == "array" else None
    kinds = {"array": "list", "integer": "integer", "number": "number", "boolean": "boolean", "string": "string"}
    return Field(
        path,
        key,
        kinds.get(str(part.get("type")), "any"),
        _help(part),
        part.get("default"),
        boxes or part.get("enum"),
        part.get("minimum", part.get("exclusiveMinimum")),
        part.get("maximum", part.get("exclusiveMaximum")),
        required,
        bool(part.get("explicit")),
        "boxes" if boxes else str(part.get("widget", "field")),
    )


def _choice(path: str, key: str, part: Schema, root: Schema, *, may_be_absent: bool = False) -> Choice:
    """One of several objects; where there may be none, the first variant has no name."""
    tag = part["discriminator"]["propertyName"]
    variants = [Variant("", "", [])] if may_be_absent else []
    for one in part["oneOf"]:
        branch = _resolve(one, root)
        name = branch["properties"][tag]["const"]
        default = part.get("default") or {}
        own = default if default.get(tag) == name else None
        fields = _fields(path, branch, root, default=own, scope=name, but=tag)
        variants.append(Variant(name, _help(branch), fields))
    chosen = (part.get("default") or {}).get(tag, "" if may_be_absent else None)
    return Choice(path, key, variants, chosen, _help(part), tag)


def _network(networks: Mapping[str, Sequence[Mapping[str, Any]]]) -> Choice:
    variants = [Variant(name, "", [_option(option, name) for option in options]) for name, options in networks.items()]
    return Choice("network", "network", variants, next(iter(networks), None))


def _option(option: Mapping[str, Any], network: str) -> Field:
    path = f"network.options.{option['name']}"
    part = {**option, "type": option["type"].split(" ")[0], "description": option["doc"], "enum": option["choices"]}
    return _field(path, _id(path, network), part, required=False)


def _rank(name: str, node: Node) -> int:
    """What is asked first: a title, the data, the network; then what is one value, then what has parts."""
    return {"name": 0, "dataset": 1, "content": 1, "styles": 1, "network": 2, "base": 2}.get(
        name, 3 if node.widget == "field" else 4
    )


def _is_nullable(part: Schema) -> bool:
    return any(p.get("type") == "null" for p in part.get("anyOf", ()))


def _resolve(part: Schema, root: Schema) -> Schema:
    if "$ref" not in part:
        return part
    found: Schema = root["$defs"][part["$ref"].rsplit("/", 1)[-1]]
    return found


def _help(part: Schema) -> str:
    return str(part.get("description", ""))


def _id(path: str, scope: str) -> str:
    return "-".join(filter(None, [scope, *path.split(".")]))
