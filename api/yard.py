"""What every route needs, made once by `create_app` and passed along with the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from celery import Celery
from flask import Flask, current_app

from api.slots import Slots
from records.blob_store import make_blobs
from records.blobs import Blobs
from records.clock import utc_now
from records.database import Database
from records.errors import TooManyStreams, TooManyUploads
from records.queue import make_celery
from records.settings import Settings
from records.upload_parts import UploadParts

EXTENSION = "trainyard"
_STREAMS_TAKEN = (
    "All {} event streams of this server process are taken. "
    "Poll the job with If-None-Match, and its metrics and events with `after=`, or try again later."
)
_UPLOADS_TAKEN = (
    "This server process receives {} uploads already. Wait, then send the same bytes again: nothing was lost."
)


@dataclass(frozen=True)
class Yard:
    """The parts of the yard that the door uses. None of them is connected before its first use."""

    settings: Settings
    database: Database
    blobs: Blobs
    celery: Celery
    """Only to ring bells; it runs no task here."""
    streams: Slots
    """For event streams."""
    waits: Slots
    """For requests that wait for a prediction."""
    receiving: Slots
    """For bodies of uploads."""
    parts: UploadParts
    clock: Callable[[], datetime]


def make_yard(settings: Settings, clock: Callable[[], datetime] = utc_now) -> Yard:
    """The parts, as the settings say."""
    blobs = make_blobs(settings)
    return Yard(
        settings=settings,
        database=Database(settings.database_address),
        blobs=blobs,
        celery=make_celery(settings),
        streams=Slots(settings.max_streams, TooManyStreams, _STREAMS_TAKEN),
        waits=Slots(settings.max_predict_waits),
        receiving=Slots(settings.max_upload_streams, TooManyUploads, _UPLOADS_TAKEN),
        parts=UploadParts(blobs),
        clock=clock,
    )


def the_yard(app: Flask | None = None) -> Yard:
    """The yard of this application, or of the one that answers the present request."""
    return cast("Yard", (app or current_app).extensions[EXTENSION])
