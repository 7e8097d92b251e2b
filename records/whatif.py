"""When a waiting job would start if it asked for something else: the planner itself is asked. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from records.estimates import Correction
from records.needs import needed_of
from records.placing import Demand, Plan, Policy, Snapshot, place
from records.placing.reasons import lendable_now


class Start(NamedTuple):
    """When and where a job would start, in seconds from now."""

    start_s: float
    device: str | None
    """Its name; None where it is too far off to tell."""


class Free(NamedTuple):
    """What nobody holds of a device now."""

    name: str
    kind: str
    memory_bytes: int


class WhatIf:
    """One moment of the yard, of which one question after the other can be asked.

    Args:
        snapshot: of the yard.
        policy: of the yard.
        job_id: the waiting job that would change.
    """

    def __init__(self, snapshot: Snapshot, policy: Policy, job_id: int) -> None:
        self._snapshot = snapshot
        self._policy = policy
        self._job_id = job_id
        self._names = {device.id: device.name for device in snapshot.devices}
        self.job = next((job for job in snapshot.waiting if job.id == job_id), None)
        """As it waits; None when it does not wait any more."""

    def free(self) -> list[Free]:
        """What is free of each device."""
        return [Free(device.name, device.kind, lendable_now(device)) for device in self._snapshot.devices]

    def as_it_is(self) -> Start | None:
        """When it starts unchanged; None where nobody can tell."""
        return self._find(place(self._snapshot, self._policy))

    def asking_for(self, demand: Demand) -> Start | None:
        """When it would start if it asked for this."""
        waiting = [job._replace(demand=demand) if job.id == self._job_id else job for job in self._snapshot.waiting]
        return self._find(place(replace(self._snapshot, waiting=waiting), self._policy))

    def _find(self, plan: Plan) -> Start | None:
        for placement in plan.placements:
            if placement.job_id == self._job_id:
                return Start(0.0, self._names[placement.device_id])
        forecast = plan.forecasts.get(self._job_id)
        if forecast is None:
            return None
        return Start(forecast.start_s, self._names.get(forecast.device_id or -1))


def demand_with(
    needs: Mapping[str, Mapping[str, int]] | None, factors: Mapping[str, Correction], threads: int | None
) -> Demand:
    """What a job with these needs would ask of the scheduler."""
    return Demand(needed_of(needs, "cpu", factors), needed_of(needs, "gpu", factors), threads)
