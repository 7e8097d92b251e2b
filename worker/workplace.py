"""What all parts of this worker share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from celery import Celery

from records.blobs import Blobs
from records.database import Database
from records.settings import Settings
from records.tables import WorkerTable
from worker.children import ChildSource
from worker.outsiders import Outsiders
from worker.predictor import Predictor


@dataclass(frozen=True)
class Workplace:
    """A registered worker with everything that it works with."""

    settings: Settings
    database: Database
    blobs: Blobs
    bells: Celery
    """For ringing; it gives up quickly, unlike the worker's own connection."""
    row: WorkerTable
    """This life of the worker."""
    children: ChildSource
    tools: dict[str, str]
    """The environment for package tools that fetch datasets: proxies and certificates, but no secret of the yard."""
    facts: dict[str, str]
    """What every run's record names of this worker's code."""
    predictor: Predictor
    outsiders: Outsiders = field(default_factory=Outsiders)
    draining: threading.Event = field(default_factory=threading.Event)
    """Set when the worker shuts down: take nothing up, and let children stop."""

    @property
    def actor(self) -> str:
        """Who this worker is in the history of a job."""
        return f"worker:{self.row.name}"
