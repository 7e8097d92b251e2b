"""Running something heavy in a fresh interpreter: a request as JSON down, one JSON object up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from records.settings import child_environment

_LIMIT_S = 900.0


def run_python(module: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Run `python -m module` with a child's environment, and return what it printed on its last line.

    Raises:
        RuntimeError: it failed; the text is the end of what it wrote.
    """
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=json.dumps(request),
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
    )
    if done.returncode:
        raise RuntimeError(f"{module} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer
