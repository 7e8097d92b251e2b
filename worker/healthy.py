"""`python -m worker.healthy`: whether a worker holds this home. For the health check of its container."""

from __future__ import annotations

import sys

from records.settings import Settings
from worker.home_lock import lock_home


def main() -> int:
    """0 while a worker runs here, else 1."""
    try:
        return 1 if lock_home(Settings.from_environment().home) is not None else 0
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
