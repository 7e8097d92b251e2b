"""What an entry may be called. Names are only shown and compared, never used as paths; bad ones are refused anyway."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ml.intake.refusals import FileProblem

LONGEST_NAME = 1000
LONGEST_PART = 255
DEEPEST = 20
LONGEST_SHOWN = 200
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing, so that a name looks like another."""
DRIVE = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True)
class CleanName:
    """A name that can be shown, stored and compared."""

    path: str
    """Relative, parts joined by `/`, in Unicode's normal form C."""
    odd: str | None
    """What is unusual about it, in words; None for most."""


def clean_name(raw: bytes, encodings: tuple[str, ...]) -> CleanName:
    """The name of a file or folder in an archive.

    Raises:
        FileProblem: it is absolute, leads out of its folder, is no text, holds control characters, or is too long.
    """
    text, decoded_oddly = _decode(raw, encodings)
    path = unicodedata.normalize("NFC", text.replace("\\", "/"))
    if path.startswith("/") or DRIVE.match(path):
        raise FileProblem("unsafe_name", "The name is absolute. Pack the folder, not its path.")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise FileProblem("unsafe_name", "The name leads out of its folder by `..`. Pack the folder, not its path.")
    _check_characters(path)
    path = "/".join(parts)
    if len(path) > LONGEST_NAME or len(parts) > DEEPEST or any(len(part) > LONGEST_PART for part in parts):
        raise FileProblem(
            "bad_name",
            f"The name is too long or too deep: at most {LONGEST_NAME:,} characters, {LONGEST_PART} a part, {DEEPEST} "
            "folders. Rename it.",
        )
    return CleanName(path, decoded_oddly or _oddness(text, path))


def shown(raw: bytes | str) -> str:
    """A name from outside as a report can show it: escapes for what is no text or cannot be seen, cut when long."""
    text = raw if isinstance(raw, str) else raw[: 4 * LONGEST_SHOWN].decode("utf-8", "backslashreplace")
    visible = "".join(c if _can_be_shown(c) else c.encode("unicode_escape", "backslashreplace").decode() for c in text)
    return visible if len(visible) <= LONGEST_SHOWN else visible[: LONGEST_SHOWN - 1] + "…"


def _decode(raw: bytes, encodings: tuple[str, ...]) -> tuple[str, str | None]:
    for number, encoding in enumerate(encodings):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text, f"it is in the old encoding {encoding}" if number else None
    raise FileProblem("bad_name", "The name is not valid text. Pack the archive with names in UTF-8.")


def _check_characters(path: str) -> None:
    for character in path:
        if character in TURNING or unicodedata.category(character) in ("Cc", "Cs"):
            raise FileProblem(
                "bad_name", f"The name holds the control character U+{ord(character):04X}. Rename the file."
            )


def _oddness(text: str, path: str) -> str | None:
    if not unicodedata.is_normalized("NFC", text):
        return "its characters were not in normal form C"
    if any(unicodedata.category(character) in ("Cf", "Co", "Cn", "Zl", "Zp") for character in path):
        return "it holds characters that cannot be seen"
    return None


def _can_be_shown(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] in "LMNPS"
