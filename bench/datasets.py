"""Datasets for benchmarks that run without a yard, from the same sources and verified the same way."""

from __future__ import annotations

import os
from pathlib import Path

from records.catalogue import MNIST
from records.settings import Settings
from worker.sources import sources_of
from worker.staging import stage_dataset


def fetch_mnist(folder: Path) -> Path:
    """The folder with MNIST's four plain files; nothing is fetched when `TRAINYARD_DATA` names a folder with them."""
    settings = Settings.from_environment()
    sources = sources_of(MNIST, settings.data, tools=folder / "tools", environment=dict(os.environ))
    staged, _ = stage_dataset(MNIST, folder, sources, tell=print, check=lambda: None)
    return staged
