"""What a worker notes of outsiders on its GPUs."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import select

from records.clock import utc_now
from records.tables import DeviceTable
from records.workers import FoundDevice, register
from worker.housekeeping import note_outsiders
from worker.outsiders import Holding, Taken

GB = 10**9


class Seen:
    """Stands where NVML would be asked; remembers what it was told of ours."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.holdings = []

    def look(self, holdings):
        self.holdings.append(holdings)
        return {0: self.answers.pop(0)} if self.answers else {}


@pytest.fixture
def on_gpu(place):
    """The worker as one with a GPU of 8 GB."""
    gpu = FoundDevice("gpu:0", "gpu", 0, "Test", 8 * GB, 1, slots=8)
    with place.database.write() as session:
        row = register(session, "gpu", host="h", pid=1, version="0", devices=[gpu], at=utc_now())
    return dataclasses.replace(place, row=row)


def device(place):
    with place.database.read() as session:
        return session.scalars(select(DeviceTable).where(DeviceTable.name == "gpu:0")).one()


def test_what_outsiders_hold_is_written_and_taken_back_when_it_is_gone(on_gpu):
    game = {"pid": 7, "name": "game", "memory_bytes": 3 * GB}
    place = dataclasses.replace(on_gpu, outsiders=Seen(Taken(3 * GB, (game,)), Taken(0)))
    note_outsiders(place)
    assert (device(place).taken_bytes, device(place).takers) == (3 * GB, [game])
    note_outsiders(place)
    assert (device(place).taken_bytes, device(place).takers) == (0, [])
    assert place.outsiders.holdings[0] == {0: Holding([], 0)}


def test_a_machine_without_gpus_asks_nobody(place):
    place = dataclasses.replace(place, outsiders=Seen())
    note_outsiders(place)
    assert place.outsiders.holdings == []


def test_what_cannot_be_told_changes_nothing(on_gpu):
    place = dataclasses.replace(on_gpu, outsiders=Seen(Taken(2 * GB)))
    note_outsiders(place)
    note_outsiders(place)
    assert device(place).taken_bytes == 2 * GB
