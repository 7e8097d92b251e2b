"""The two ways to say no: to one file, and to the whole set."""

from __future__ import annotations


class FileProblem(Exception):
    """Raised when one file cannot be taken in; the set may go on without it.

    Args:
        code: stable, for programs; `docs/datasets.md` lists them.
        text: a sentence that says what was expected, what came and what to do.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class SetRefused(Exception):
    """Raised when the set as a whole cannot be taken in."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
