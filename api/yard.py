"""What every route needs, made once by `create_app` and passed along with the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from celery import Celery
from flask import Flask, current_app

from api.slots import Slots, StreamSlots
from records.blobs import FolderBlobs
from records.clock import utc_now
from records.database import Database
from records.queue import make_celery
from records.settings import Settings

EXTENSION = "trainyard"


@dataclass(frozen=True)
class Yard:
    """The parts of the yard that the door uses. None of them is connected before its first use."""

    settings: Settings
    database: Database
    blobs: FolderBlobs
    celery: Celery
    """Only to ring bells; it runs no task here."""
    streams: StreamSlots
    waits: Slots
    """For requests that wait for a prediction."""
    clock: Callable[[], datetime]


def make_yard(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Yard:
    """The parts, as the settings say."""
    return Yard(
        settings=settings,
        database=Database(settings.database_address),
        blobs=FolderBlobs(settings.blob_folder),
        celery=make_celery(settings),
        streams=StreamSlots(settings.max_streams),
        waits=Slots(settings.max_predict_waits),
        clock=clock,
    )


def the_yard(app: Flask | None = None) -> Yard:
    """The yard of this application, or of the one that answers the present request."""
    return cast("Yard", (app or current_app).extensions[EXTENSION])
