"""The lane for people's datasets: one check at a time, beside the attempts and without a device."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from records.clock import utc_now
from records.database import is_outage
from records.intakes import IntakeClaim, claim_intake
from worker.intake import check_version
from worker.intake_child import INTAKE
from worker.workplace import Workplace

log = logging.getLogger("trainyard.intake")


class IntakeLane:
    """A thread that checks what waits, whenever somebody rings; use it as a context.

    Args:
        place: the worker.
        command: what starts an intake.
    """

    def __init__(self, place: Workplace, *, command: Sequence[str] = INTAKE) -> None:
        self._place = place
        self._command = command
        self._rung = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="intake", daemon=True)

    def __enter__(self) -> IntakeLane:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self.ring()
        self._thread.join()

    def ring(self) -> None:
        """Something may wait. Harmless when nothing does, or when a check is under way."""
        self._rung.set()

    def _work(self) -> None:
        while not self._closing:
            self._rung.wait()
            self._rung.clear()
            while not self._closing and (claim := self._claim()) is not None:
                self._check(claim)

    def _claim(self) -> IntakeClaim | None:
        place = self._place
        if place.draining.is_set():
            return None
        try:
            with place.database.write() as session:
                return claim_intake(
                    session,
                    place.row,
                    folders=place.settings.dataset_folders,
                    lease_s=place.settings.lease_s,
                    at=utc_now(),
                )
        except Exception as error:
            if not is_outage(error):
                log.exception("intake.not_claimed")
            else:
                log.warning("intake.not_claimed error=%s", error)  # the sweep rings again
            return None

    def _check(self, claim: IntakeClaim) -> None:
        try:
            check_version(self._place, claim, command=self._command)
        except Exception:  # the lane outlives whatever happens in it; the lease runs out, and the check is begun again
            log.exception("intake.lost version=%s", claim.ref)
