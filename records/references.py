"""How people name a registered model: `[owner/]name[@alias|@number]`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from records.errors import InvalidRequest, shorten

MODEL_NAME = r"[a-z0-9][a-z0-9_.-]{0,62}"
ALIAS = r"[a-z][a-z0-9_.-]{0,62}"
"""Begins with a letter, so that no alias looks like a number."""
OWNER = r"[^/@\x00-\x1f\x7f]{1,100}"
REFERENCE = rf"({OWNER}/)?{MODEL_NAME}(@({ALIAS}|[1-9][0-9]{{0,8}}))?"
_PARTS = re.compile(
    rf"(?:(?P<owner>{OWNER})/)?(?P<name>{MODEL_NAME})"
    rf"(?:@(?:(?P<alias>{ALIAS})|(?P<number>[1-9][0-9]{{0,8}})))?"
)


@dataclass(frozen=True)
class Reference:
    """A version of a registered model, as somebody named it."""

    name: str
    owner: str | None = None
    """Whose; the asker's own when left out."""
    alias: str | None = None
    number: int | None = None
    """Without both, the newest version is meant."""

    def __str__(self) -> str:
        version = self.alias or self.number
        return f"{self.owner}/" * bool(self.owner) + self.name + (f"@{version}" if version else "")


def can_be_named(name: str, owner: str | None = None) -> bool:
    """Whether there could be such a registered model: no database need be asked where there could not."""
    return bool(re.fullmatch(MODEL_NAME, name)) and (owner is None or bool(re.fullmatch(OWNER, owner)))


def parse_reference(text: str) -> Reference:
    """The parts of a reference.

    Raises:
        InvalidRequest: the text is none.
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        raise InvalidRequest(
            f"Expected a registered model as [owner/]name[@alias or @number], such as digits@champion or digits@3, "
            f"got {shorten(repr(text))}. Names hold small letters, digits and _ . -"
        )
    number = found["number"]
    return Reference(found["name"], found["owner"], found["alias"], int(number) if number else None)
