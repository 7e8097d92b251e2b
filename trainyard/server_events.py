"""Server-sent events, as HTML's living standard describes them (https://html.spec.whatwg.org/#server-sent-events)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ServerEvent:
    """One event of a stream."""

    name: str
    data: str
    id: str


def parse_stream(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """The events in lines without their ends. An event counts once its empty line has come."""
    name, last_id = "", ""
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield ServerEvent(name or "message", "\n".join(data), last_id)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id" and "\0" not in value:
            last_id = value
