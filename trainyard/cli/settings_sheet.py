"""The settings as `trainyard config show` prints them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from records.settings import Settings

_PASSWORD = re.compile(r"(?<=:)[^:@/]*(?=@)")


@dataclass(frozen=True)
class SettingRow:
    """One setting."""

    variable: str
    value: str
    source: str
    """`environment`, `command line` or `default`."""


def describe_settings(settings: Settings) -> list[SettingRow]:
    """Every setting by its variable; a password in a URL shows as `***`, a token not at all."""
    plain = Settings.from_environment()
    return [_row(settings, plain, name, field) for name, field in Settings.model_fields.items()]


def _row(settings: Settings, plain: Settings, name: str, field: FieldInfo) -> SettingRow:
    value = getattr(settings, name)
    if value != getattr(plain, name):
        source = "command line"
    else:
        source = "environment" if name in plain.model_fields_set and value != field.default else "default"
    return SettingRow(_variable(name, field), _shown(name, value), source)


def _variable(name: str, field: FieldInfo) -> str:
    """The variable's public name: the shortest where it has several."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return min((choice for choice in alias.choices if isinstance(choice, str)), key=len)
    return f"TRAINYARD_{name.upper()}"


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return "***" if name.endswith("token") else _PASSWORD.sub("***", value.get_secret_value())
    if isinstance(value, tuple):
        return ":".join(map(str, value))
    return str(value)
