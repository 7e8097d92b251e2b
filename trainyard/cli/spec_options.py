"""A spec from the command line: a file, and `--set key=value` over it. Only the yard knows what makes a good spec."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer


def read_spec(file: Path | None, *, kind: str, sets: Iterable[str]) -> dict[str, Any]:
    """The spec that a file (`-` for standard input), `--kind` and `--set` describe together.

    Raises:
        typer.BadParameter: the file or a setting cannot be read.
    """
    spec: dict[str, Any] = read_json_file(file) if file is not None else {}
    if kind:
        spec["kind"] = kind
    set_values(spec, sets)
    return spec


def read_json_file(file: Path) -> dict[str, Any]:
    """The JSON object in a file, or on standard input for `-`.

    Raises:
        typer.BadParameter: it cannot be read or holds no object.
    """
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
        read = json.loads(text)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}.") from error
    if not isinstance(read, dict):
        raise typer.BadParameter(f"{file} holds no JSON object.")
    return read


def set_values(spec: dict[str, Any], settings: Iterable[str] | None) -> None:
    """Set each of some `key=value`. Raises as `set_value` does."""
    for setting in settings or ():
        set_value(spec, setting)


def set_value(spec: dict[str, Any], setting: str) -> None:
    """Set one value of `key=value`; dots go into nested objects, the value is JSON or else text.

    Raises:
        typer.BadParameter: it has another form, or a dot goes into what is no object.
    """
    path, equals, text = setting.partition("=")
    *parents, name = path.split(".")
    if not equals or not all((*parents, name)):
        raise typer.BadParameter(f"Expected --set key=value, such as --set network.name=lenet5, got {setting!r}.")
    place = spec
    for parent in parents:
        inner = place.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise typer.BadParameter(f"--set {path}: {parent!r} is {json.dumps(inner)} already, not an object.")
        place = inner
    place[name] = _value(text)


def read_changes(sets: Iterable[str]) -> dict[str, Any]:
    """Changes to another spec, by dotted path, of `key=value` settings.

    Raises:
        typer.BadParameter: one has another form.
    """
    changes: dict[str, Any] = {}
    for setting in sets:
        path, equals, text = setting.partition("=")
        if not equals or not all(path.split(".")):
            raise typer.BadParameter(f"Expected --set key=value, such as --set learning_rate=0.01, got {setting!r}.")
        changes[path] = _value(text)
    return changes


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
