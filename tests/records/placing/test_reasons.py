"""One reason for every job that waits, in words that tell nobody of others' jobs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given

from records.placing import Snapshot, place
from records.placing.reasons import round_up
from tests.records.placing.snapshots import NOW, cpu, gpu, job, lease, snapshots


def reason(waiting, *devices, **more):
    return place(Snapshot(NOW, waiting, devices, **more)).reasons[waiting[-1].id]


def test_without_a_worker_everybody_waits_for_one():
    assert reason([job(1, 1)]).code == "no_worker"


def test_who_waits_for_memory_is_told_how_much_which_job_and_when():
    text = "Waits for 5.2 GB on any GPU; job 41 is expected to free gpu:0 at 07:21 UTC."
    assert reason([job(1, 5.2)], gpu(0, 24, lease(41, 20, left_s=720))) == ("waiting_for_memory", text)


def test_the_number_of_somebody_elses_job_is_left_out():
    found = reason([job(1, 5.2, owner=1)], gpu(0, 24, lease(41, 20, owner=2)))
    assert "a running job is expected to free gpu:0" in found.text
    assert "41" not in found.text


def test_who_wants_a_whole_device_is_told_so():
    assert reason([job(1)], gpu(0, 24, lease(41, 2))).text.startswith("Waits for a whole GPU; job 41")
    assert reason([job(1)], cpu(0, 24, lease(41, 2))).text.startswith("Waits for a whole CPU; job 41")
    mixed = reason([job(1)], cpu(0, 24, lease(41, 2)), gpu(1, 8, lease(42, 2, left_s=9000)))
    assert mixed.text.startswith("Waits for a whole device; job 41")


def test_a_full_device_with_memory_to_spare_gives_no_place():
    assert reason([job(1, 1)], gpu(0, 24, lease(41, 2), slots=1)).text.startswith(
        "Waits for a place on any GPU; job 41"
    )


def test_who_waits_for_somebody_that_waits_is_told_that_others_go_first():
    found = reason([job(1, 20, owner=2), job(2, 20)], gpu(0, 24, lease(41, 20)))
    assert found.code == "waiting_for_turn"


def test_what_fits_no_device_is_told_the_largest():
    found = reason([job(1, 30)], gpu(0, 24), gpu(1, 8))
    assert found.code == "fits_nowhere"
    assert "Needs 30.0 GB, and the largest device has 24.0 GB (gpu:0)" in found.text


def test_a_quota_tells_its_number():
    from records.placing import Policy

    plan = place(Snapshot(NOW, [job(1, 1), job(2, 1)], [gpu(0)]), Policy(most_running=1))
    assert plan.reasons[2].code == "quota_running"
    assert "1 job of one person" in plan.reasons[2].text


@given(snapshots)
def test_no_sentence_names_the_job_of_another_person(snapshot):
    owner = {waiting.id: waiting.owner_id for waiting in snapshot.waiting}
    owner |= {x.job_id: x.owner_id for device in snapshot.devices for x in device.leases}
    for job_id, found in place(snapshot).reasons.items():
        for number in re.findall(r"job (\d+)", found.text):
            assert owner[int(number)] == owner[job_id]


@pytest.mark.parametrize(
    ("off_s", "shown"),
    [(0, "07:09"), (51, "07:09"), (52, "07:10"), (3600, "08:10"), (7300, "09:30"), (90_000, "09:00")],
)
def test_times_are_rounded_up_the_coarser_the_further_off(off_s, shown):
    assert f"{round_up(NOW + timedelta(seconds=off_s), seen_from=NOW):%H:%M}" == shown


def test_another_day_is_named():
    found = reason([job(1, 20)], gpu(0, 24, lease(41, 20, left_s=90_000)))
    assert found.text.endswith("at Thu 07 May 09:00 UTC.")


def test_a_sentence_holds_still_while_time_passes_as_expected():
    texts = set()
    for passed in range(0, 300, 10):
        at = NOW + timedelta(seconds=passed)
        snapshot = Snapshot(at, [job(1, 20)], [gpu(0, 24, lease(41, 20, left_s=1000.0 - passed))])
        texts.add(place(snapshot).reasons[1].text)
    assert len(texts) == 1
    assert isinstance(NOW, datetime)
