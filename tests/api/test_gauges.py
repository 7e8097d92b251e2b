"""Numbers for Prometheus: what they say, who may read them, and that all processes of a server count together."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from api.latencies import BOUNDS_S, Latencies
from ml.estimates import FORM
from records import attempts, sweep
from records.retries import Outcome
from records.schedule import run_pass
from records.tables import JobTable
from tests.api.calling import Caller


def read(caller):
    """Every sample by name and labels."""
    reply = caller.get("/metrics")
    assert reply.status_code == 200, reply.text
    families = text_string_to_metric_families(reply.text)
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def test_the_queue_is_told_by_reason_with_the_age_of_the_oldest(root, database, hand, submit_noop, clock):
    submit_noop()
    submit_noop()
    submit_noop()
    hand.take_up()
    clock.advance(100)
    with database.write() as session:
        run_pass(session, lease_s=60, at=clock())
    numbers = read(root)
    assert numbers["trainyard_jobs", "queued"] == 2
    assert numbers["trainyard_jobs", "running"] == 1
    assert numbers["trainyard_jobs_waiting", "waiting_for_device"] == 2
    assert numbers["trainyard_oldest_wait_seconds", "waiting_for_device"] >= 100


def test_waits_of_jobs_begun_lately_are_told_and_older_ones_forgotten(root, hand, submit_noop, clock):
    submit_noop()
    clock.advance(40)
    hand.take_up()
    numbers = read(root)
    assert numbers["trainyard_recent_starts",] == 1
    assert numbers["trainyard_recent_wait_seconds", "0.9"] == pytest.approx(42)
    clock.advance(3601)
    assert read(root)["trainyard_recent_starts",] == 0


def test_attempts_are_told_by_outcome_and_reason(root, ran, hand, submit_noop):
    submit_noop(max_retries=0)
    hand.end(hand.take_up(), Outcome.failed("disk_full", "Full."))
    numbers = read(root)
    assert numbers["trainyard_attempts", "", "succeeded"] == 1
    assert numbers["trainyard_attempts", "interrupted", "worker_stopped"] == 1
    assert numbers["trainyard_attempts", "disk_full", "failed"] == 1


def test_memory_is_told_as_there_lent_and_used(root, hand, submit_noop):
    submit_noop()
    claim = hand.take_up()
    with hand.database.write() as session:
        attempts.note_child(session, claim.attempt_id, peak_bytes=1234)
    numbers = read(root)
    place = ("cpu", "cpu:0", "w1")
    assert numbers["trainyard_device_memory_bytes", *place] == 10**9
    assert 0 < numbers["trainyard_device_lent_bytes", *place] <= 10**9
    assert numbers["trainyard_device_used_bytes", *place] == 1234
    assert numbers["trainyard_devices_busy",] == 1
    hand.end(claim)
    numbers = read(root)
    assert numbers["trainyard_device_lent_bytes", *place] == numbers["trainyard_device_used_bytes", *place] == 0
    assert numbers["trainyard_devices_busy",] == 0


def test_estimates_are_told_beside_what_was_measured(root, database, hand, submit_noop):
    for measured in (100, 200, 400):
        job_id = submit_noop()
        claim = hand.take_up()
        with database.write() as session:
            peak = {"cpu": {"low_bytes": 150, "likely_bytes": 200, "high_bytes": 250}}
            session.get_one(JobTable, job_id).estimate = {"form": FORM, "peak": peak}
            attempts.note_child(session, claim.attempt_id, peak_bytes=measured)
        hand.end(claim)
    numbers = read(root)
    assert numbers["trainyard_peaks_measured", "cpu"] == 3
    assert numbers["trainyard_peaks_in_range", "cpu"] == 1
    assert numbers["trainyard_peak_ratio", "0.5", "cpu"] == pytest.approx(1.0)
    assert numbers["trainyard_peak_ratio", "0.99", "cpu"] == pytest.approx(2.0)


def test_the_last_sweep_is_told_once_there_was_one(root, database, clock):
    assert ("trainyard_last_sweep_timestamp_seconds",) not in read(root)
    with database.write() as session:
        sweep.sweep(session, silent_s=1e9, unheard_s=1e9, at=clock())
    assert read(root)["trainyard_last_sweep_timestamp_seconds",] == pytest.approx(clock().timestamp())


def test_requests_are_counted_by_endpoint_and_class_of_status(root, nobody):
    nobody.get("/healthz")
    nobody.get("/healthz")
    nobody.get("/nothing/here")
    numbers = read(root)
    assert numbers["trainyard_http_seconds_count", "2xx", "health.is_alive"] == 2
    assert numbers["trainyard_http_seconds_bucket", "+Inf", "2xx", "health.is_alive"] == 2
    assert numbers["trainyard_http_seconds_count", "", "4xx"] == 1
    assert numbers["trainyard_http_seconds_sum", "2xx", "health.is_alive"] > 0


def test_a_token_for_metrics_alone_opens_them_and_nothing_else(make_app):
    app = make_app(metrics_token=SecretStr("sesame"))
    reader = Caller(app, "sesame")
    assert reader.get("/metrics").status_code == 200
    assert reader.get("jobs").status_code == 401
    for token in ("sesam", "sesame2", ""):
        assert Caller(app, token).get("/metrics").status_code == 401


def test_nobody_else_reads_them(nobody, ada, root):
    assert [caller.get("/metrics").status_code for caller in (nobody, ada, root)] == [401, 403, 200]


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_falls_into_the_first_bucket_that_holds_it():
    counted = Latencies(["a"])
    for seconds in (0.001, 0.005, 0.006, 99.0):
        counted.observe("a", 200, seconds)
    (row,) = counted.rows()
    assert (row.endpoint, row.status) == ("a", "2xx")
    assert row.counts == (2, 1, *([0] * (len(BOUNDS_S) - 2)), 1)
    assert row.seconds == pytest.approx(99.012)


def test_unknown_endpoints_and_odd_statuses_are_counted_too():
    counted = Latencies(["a"])
    counted.observe("elsewhere", 999, 0.1)
    assert [(row.endpoint, row.status) for row in counted.rows()] == [("", "5xx")]


def test_threads_and_processes_lose_no_count():
    counted = Latencies(["a"])
    children = [_fork(lambda: _observe(counted, 2000)) for _ in range(2)]
    threads = [threading.Thread(target=_observe, args=(counted, 2000)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0]
    (row,) = counted.rows()
    assert sum(row.counts) == 8000
    assert row.seconds == pytest.approx(8000 * 0.5)


def test_a_process_that_is_killed_stops_no_other():
    counted = Latencies(["a"])
    for _ in range(20):
        child = _fork(lambda: _observe(counted, 10**9))
        _observe(counted, 50)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    _observe(counted, 1)
    assert sum(next(counted.rows()).counts) >= 1001


def _observe(counted, times):
    for _ in range(times):
        counted.observe("a", 200, 0.5)


def _fork(act):
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(0)
    return pid
