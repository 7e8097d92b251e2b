"""Passwords: scrypt with a salt of its own for each (werkzeug's), never kept, never logged."""

from __future__ import annotations

from werkzeug.security import check_password_hash, generate_password_hash

from records.errors import FieldProblem, InvalidSpec

SHORTEST, LONGEST = 10, 200
"""Characters."""
METHOD = "scrypt:32768:8:3"
"""32 MiB, three times: one of the settings that OWASP names as the least."""
_NOBODYS = f"{METHOD}$nobody$" + "0" * 128


def make_hash(password: str, *, field: str = "new") -> str:
    """What is kept of a password.

    Raises:
        InvalidSpec: it is too short, too long, or one character over and over.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        text = f"Expected {SHORTEST} to {LONGEST} characters, got {len(password)}. A few words in a row are a good one."
        raise InvalidSpec([FieldProblem(field, text)])
    if len(set(password)) < 3:
        raise InvalidSpec([FieldProblem(field, "Expected more than the same characters over and over.")])
    return generate_password_hash(password, METHOD)


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether this is the password. Takes as long where there is none, so that nobody learns who has an account."""
    matches = check_password_hash(password_hash or _NOBODYS, password[:LONGEST])
    return matches and password_hash is not None
