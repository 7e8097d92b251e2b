"""Earlier jobs as people name them on the command line: `12`, or `12:last` with the weights of its last epoch."""

from __future__ import annotations

import re
from typing import Any

import typer

_RUN = re.compile(r"([0-9]{1,10})(?::(.*))?")


def read_run(text: str) -> dict[str, Any]:
    """`12` and `12:last` as a run.

    Raises:
        typer.BadParameter: it names no job.
    """
    found = _RUN.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"Expected the number of a job, such as 12 or 12:last, got {text!r}.")
    job, weights = found.groups()
    return {"job": int(job), "weights": weights} if weights else {"job": int(job)}


def read_base(text: str) -> dict[str, Any]:
    """`12` and `12:last` as an earlier job, all else as the name of weights."""
    return read_run(text) if _RUN.fullmatch(text) else {"pretrained": text}
