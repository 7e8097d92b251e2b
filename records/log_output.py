"""How the yard's processes write their logs: lines for people, or one JSON object a line for programs.

A log call is an event with fields, `log.info("attempt.claimed job_id=%s", 7)`; both forms say the same.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

_CONVERSION = re.compile(r"(?:(\w+)=)?%[-+ #0]*[\d.]*([a-zA-Z%])")
_EVENT = re.compile(r"[a-z_]+\.[a-z_]+")
_PLAIN = (str, int, float, bool, type(None))

Facts = Callable[[], Mapping[str, Any]]


def set_up_logging(form: Literal["text", "json"], *, facts: Facts = dict) -> None:
    """Log to standard error from now on; call it once, when a process begins.

    Args:
        form: `text` or `json`.
        facts: tells what every line of JSON also carries at that moment, such as the request's id.
    """
    handler = logging.StreamHandler(sys.stderr)
    people = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(people if form == "text" else JsonLines(facts))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `logger`, `event`, the fields of the call, and `text`.

    Args:
        facts: as for `set_up_logging`; fields of the call win over them.
    """

    def __init__(self, facts: Facts = dict) -> None:
        super().__init__()
        self._facts = facts

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON. Whatever a value holds, it stays on one line and in its field."""
        text = record.getMessage()
        event = _EVENT.match(text)
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **({"event": event[0]} if event else {}),
            **self._facts(),
            **dict(_fields(record)),
            "text": text,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    """The named arguments of a log call, taken from its template: what an argument holds cannot pose as a field."""
    if not isinstance(record.args, tuple) or not isinstance(record.msg, str):
        return
    args = iter(record.args)
    for name, conversion in _CONVERSION.findall(record.msg):
        if conversion != "%":
            value = next(args, None)
            if name:
                yield name, value if isinstance(value, _PLAIN) else str(value)
