"""Replies of the yard as typed values: what every part of the client stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from trainyard.errors import UnexpectedReply
from trainyard.results import Page, Result
from trainyard.transport import Transport, decode

R = TypeVar("R", bound=Result)


class Reader:
    """Asks over one connection, and understands what comes back."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def url(self) -> str:
        """The yard's address."""
        return self._transport.url

    def _one(self, cls: type[R], reply: Any) -> R:
        return self._parse(cls, decode(reply))

    def _page(self, cls: type[R], path: str, params: Mapping[str, Any]) -> Page[R]:
        return self._parse(Page[cls], self._transport.read(path, params=params))  # type: ignore[valid-type]

    def _all(self, cls: type[R], path: str, params: Mapping[str, Any], *, cursor: str = "cursor") -> Iterator[R]:
        """Every item of every page; `cursor` is the parameter that takes a page's `next`."""
        while True:
            page = self._page(cls, path, params)
            yield from page
            if page.next is None:
                return
            params = {**params, cursor: page.next}

    def _parse(self, cls: type[R], value: Any) -> R:
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise UnexpectedReply(
                f"{self.url} answered in another shape than a yard's: {where}: {first['msg']}."
            ) from error


def present(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that say something."""
    return {name: value for name, value in params.items() if value is not None}
