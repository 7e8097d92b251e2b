"""`python -m worker`: the queue's door. Registers this machine's devices and runs what the yard places on them.

This process never imports TensorFlow or Keras: every attempt runs in a child of its own.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys

from records.attempts import expire_of_worker
from records.blob_store import make_blobs
from records.clock import utc_now
from records.database import Database
from records.errors import NotAvailable, SchemaNewer
from records.intakes import expire_intakes_of_worker
from records.log_output import set_up_logging
from records.queue import make_celery, ring_schedule
from records.schema import check_head
from records.settings import Settings, child_environment, tool_environment
from records.workers import DRAINING, OFFLINE, FoundDevice, note_worker, register
from worker.children import ChildSource
from worker.consumer import consume
from worker.declared import parse_devices
from worker.devices import find_devices, predictor_bytes
from worker.facts import code_facts, trainyard_version
from worker.home_lock import lock_home
from worker.housekeeping import Housekeeping
from worker.intake_lane import IntakeLane
from worker.predictions import make_predictor
from worker.workplace import Workplace

log = logging.getLogger("trainyard.worker")


def main() -> int:
    """Run a worker until it is asked to stop; the exit status."""
    settings = Settings.from_environment()
    set_up_logging(settings.log_format)
    for chatty in ("celery", "kombu", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    tools = tool_environment()
    children = scrub_environment()
    settings.home.mkdir(parents=True, exist_ok=True)
    lock = lock_home(settings.home)
    if lock is None:
        log.error(
            "worker.refused home=%s: another worker runs there. Stop it, or give this one its own home.", settings.home
        )
        return 1
    database = Database(settings.database_address)
    try:
        check_head(database)
        run(settings, database, children=children, tools=tools)
    except (SchemaNewer, NotAvailable) as error:
        log.error("worker.refused code=%s: %s", error.code, error)
        return 1
    finally:
        database.close()
        os.close(lock)
    return 0


def run(settings: Settings, database: Database, *, children: dict[str, str], tools: dict[str, str]) -> None:
    """Register, work until asked to stop, and sign off.

    Args:
        settings: of this machine's part of the yard.
        database: the yard's, migrated.
        children: the environment of children, which is also that of this process.
        tools: the environment of package tools.
    """
    shutil.rmtree(settings.scratch_folder, ignore_errors=True)
    settings.scratch_folder.mkdir(parents=True)
    devices = parse_devices(settings.devices, gpu_jobs=settings.gpu_jobs) or find_devices(
        cpu_threads=settings.cpu_threads,
        gpu_jobs=settings.gpu_jobs,
        kept_bytes=predictor_bytes(settings.predict_memory_bytes),
        environment=children,
    )
    source = ChildSource(settings.child_start, children)
    source.warm_up()
    place = set_up(settings, database, devices=devices, source=source, tools=tools)
    log.info("worker.online name=%s devices=%s", place.row.name, ",".join(d.name for d in devices))
    ring_schedule(place.bells)
    with IntakeLane(place) as lane, Housekeeping(place, on_waiting=lane.ring):
        attempts = sum(device.slots for device in devices)
        consume(place, attempts=attempts, on_intake=lane.ring, on_drain=lambda: _note(place, DRAINING))
    place.predictor.close()
    _sign_off(place)
    source.close()


def set_up(
    settings: Settings, database: Database, *, devices: list[FoundDevice], source: ChildSource, tools: dict[str, str]
) -> Workplace:
    """Register in the database: a new life of this worker."""
    name = settings.worker_name or f"{socket.gethostname()}-{settings.home.name}"
    with database.write() as session:
        row = register(
            session,
            name,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=trainyard_version(),
            devices=devices,
            at=utc_now(),
        )
    return Workplace(
        settings=settings,
        database=database,
        blobs=make_blobs(settings),
        bells=make_celery(settings),
        row=row,
        children=source,
        tools=tools,
        facts=code_facts(),
        predictor=make_predictor(settings, source),
    )


def scrub_environment() -> dict[str, str]:
    """Reduce this process's environment to what children may see, so that none can inherit a secret."""
    kept = child_environment()
    os.environ.clear()
    os.environ.update(kept)
    return kept


def _note(place: Workplace, status: str) -> None:
    try:
        with place.database.write() as session:
            note_worker(session, place.row.id, status, at=utc_now())
    except Exception as error:
        log.warning("worker.not_noted status=%s error=%s", status, error)
    else:
        log.info("worker.%s name=%s", status, place.row.name)


def _sign_off(place: Workplace) -> None:
    """Give back what was placed here and never begun, and let the others know."""
    text = "Its worker shut down before it had begun."
    try:
        with place.database.write() as session:
            note_worker(session, place.row.id, OFFLINE, at=utc_now())
            expire_of_worker(session, [place.row.id], at=utc_now(), text=text)
            expire_intakes_of_worker(session, [place.row.id], at=utc_now())
    except Exception as error:
        log.warning("worker.not_signed_off error=%s", error)
    ring_schedule(place.bells)
    log.info("worker.offline name=%s", place.row.name)


if __name__ == "__main__":
    sys.exit(main())
