"""What every reply is made of."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, create_model

Visibility = Literal["private", "team", "public"]


class View(BaseModel):
    """A reply, or a part of one."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Reason(View):
    """Why something is as it is: a stable code for programs and a sentence for people."""

    code: str
    text: str


def page_of(item: type[View]) -> type[BaseModel]:
    """The class of a list's page: `items`, and `next`, a cursor or null."""
    name = f"{item.__name__}Page"
    doc = f"A page of a list of {item.__name__}."
    return create_model(name, __base__=View, __doc__=doc, items=(list[item], ...), next=(str | None, ...))  # type: ignore[valid-type]
