"""Labelled images."""

from __future__ import annotations

from datetime import datetime

from api.views.base import View


class Fetched(View):
    """When and from where this yard got a dataset."""

    source: str
    at: datetime


class Dataset(View):
    """Labelled images that jobs can train on."""

    name: str
    title: str
    classes: list[str]
    image_shape: tuple[int, int, int]
    """Height, width, channels."""
    counts: dict[str, int]
    """Images in each split as delivered."""
    sha256: str
    licence: str
    source: str
    fetched: Fetched | None
    """Null until a worker has fetched and verified it: the first job that needs it does."""
    sheet: str | None
    """Address of the sample sheet, a PNG; null until it is fetched."""
