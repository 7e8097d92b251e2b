"""Whether the yard can do its work: one check a part, none of which can fail the asking."""

from __future__ import annotations

from collections.abc import Callable

from api.yard import Yard
from records.database import is_outage
from records.queue import broker_is_up
from records.reading import count_workers
from records.schema import is_at_head

Check = dict[str, str]


def check_yard(yard: Yard) -> dict[str, Check]:
    """The state of each part: `ok`, `degraded` (jobs are still taken) or `down`."""
    checks = {"database": _database(yard)}
    if checks["database"]["status"] == "ok":
        checks["migrations"] = _migrations(yard)
    if all(check["status"] == "ok" for check in checks.values()):
        checks["workers"] = _workers(yard)
    return checks | {"broker": _broker(yard), "disk": _disk(yard)}


def overall(checks: dict[str, Check]) -> str:
    """The worst of the states."""
    states = {check["status"] for check in checks.values()}
    return next(state for state in ("down", "degraded", "ok") if state in states)


def _database(yard: Yard) -> Check:
    def ask() -> Check:
        with yard.database.engine.connect():
            return _check("ok", "The database answers.")

    return _guarded(ask, "The database cannot be reached. Start it, or correct TRAINYARD_DATABASE_URL.")


def _migrations(yard: Yard) -> Check:
    def ask() -> Check:
        if is_at_head(yard.database):
            return _check("ok", "The schema is the one that this code expects.")
        return _check(
            "down", "The schema is another than this code expects. Run `trainyard up` or `alembic upgrade head`."
        )

    return _guarded(ask, "The database cannot be reached.")


def _workers(yard: Yard) -> Check:
    def ask() -> Check:
        with yard.database.read() as session:
            count = count_workers(session)
        if count:
            return _check("ok", f"{count} worker{'s' if count > 1 else ''} there.")
        return _check("degraded", "No worker is online. Jobs are taken and wait for one.")

    return _guarded(ask, "The database cannot be reached.")


def _broker(yard: Yard) -> Check:
    if broker_is_up(yard.settings):
        return _check("ok", "The broker answers.")
    return _check("degraded", "The broker does not answer. Jobs are taken; they start when it is back.")


def _disk(yard: Yard) -> Check:
    try:
        free = yard.blobs.free_bytes()
    except OSError as error:
        return _check("degraded", f"The folder of stored files cannot be used: {error.strerror}.")
    text = f"{free / 1e9:.1f} GB are free for stored files."
    if free < yard.settings.min_free_bytes:
        return _check("degraded", f"{text} Free some: below {yard.settings.min_free_bytes / 1e9:.1f} GB jobs may fail.")
    return _check("ok", text)


def _guarded(ask: Callable[[], Check], text: str) -> Check:
    try:
        return ask()
    except Exception as error:
        if not is_outage(error):
            raise
        return _check("down", text)


def _check(status: str, text: str) -> Check:
    return {"status": status, "text": text}
