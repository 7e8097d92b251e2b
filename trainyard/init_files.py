"""The secrets of a yard in containers, as files that `docker-compose.yml` hands to those who need them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from trainyard.errors import YardError

_BYTES = 32


def make_secrets(folder: Path) -> list[str]:
    """Make every file; their names.

    The folder can be entered by its owner alone. The files can be read by all, for a container reads its copy under
    another user's number.

    Raises:
        YardError: the folder holds something already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise YardError(f"{folder} is not empty. Its secrets are in use, perhaps; name another folder, or empty it.")
    folder.chmod(0o700)
    database, redis, metrics, grafana = (secrets.token_urlsafe(_BYTES) for _ in range(4))
    files = {
        "postgres_password": database,
        "redis_password": redis,
        "redis.conf": f"requirepass {redis}\n",
        "database_url": f"postgresql://trainyard:{database}@postgres/trainyard",
        "redis_url": f"redis://:{redis}@redis:6379/0",
        "trainyard_metrics_token": metrics,
        "grafana_password": grafana,
    }
    for name, content in files.items():
        fd = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        with os.fdopen(fd, "w") as file:
            file.write(content)
    return list(files)
