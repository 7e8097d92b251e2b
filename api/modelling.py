"""Bodies that are sent about registered models."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.paging import LARGEST_ID
from records.references import MODEL_NAME
from records.specs.base import Strict

Number = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class NewModelVersion(Strict):
    """A run's result to be numbered under a name."""

    job: Number
    """The job whose result it is; it must have succeeded."""
    artifact: Annotated[str, Field(min_length=1, max_length=200)] = "model.keras"
    """The kept file that the version stands for."""
    note: Annotated[str, Field(max_length=2_000)] | None = None
    """A few words: plain text."""


class NewModel(NewModelVersion):
    """A new name, with its first version."""

    name: Annotated[str, Field(pattern=f"^{MODEL_NAME}$", max_length=63)]
    """Small letters, digits and `_ . -`; one's own names are apart from other people's."""


class AliasTarget(Strict):
    """Where an alias is to point."""

    version: Number
