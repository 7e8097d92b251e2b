"""Submitting, listing, showing, cancelling and retrying jobs."""

from __future__ import annotations

from redis import Redis
from sqlalchemy import event

from api.views import Job
from api.yard import the_yard
from records import attempts, runs
from records.jobs import change
from records.retries import Outcome
from tests.api.calling import Caller


def test_a_submitted_job_is_queued_and_found_at_its_location(ada):
    reply = ada.post("jobs", {"kind": "noop", "name": "first"})
    assert reply.status_code == 202
    assert reply.json["status"] == "queued"
    assert reply.json["place_in_queue"] == 1
    assert reply.json["owner"] == "ada"
    shown = ada.get(reply.headers["Location"])
    assert shown.status_code == 200
    assert shown.json == reply.json


def test_a_train_job_knows_its_networks_parameters_before_it_runs(ada):
    spec = {"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}
    reply = ada.post("jobs", spec)
    assert reply.status_code == 202
    assert reply.json["parameters"] > 40_000
    assert reply.json["spec"]["epochs"] == 4, "defaults are filled in"


def test_a_job_that_ran_shows_everything_about_it(ada, ran):
    job = Job.model_validate(ada.get(f"jobs/{ran}").json)
    assert job.status == "succeeded"
    assert job.progress == 1.0
    assert [(a.number, a.status, a.worker, a.device) for a in job.attempts] == [
        (1, "interrupted", "w1", "cpu:0"),
        (2, "succeeded", "w1", "cpu:0"),
    ]
    assert job.attempts[0].reason.code == "worker_stopped"
    assert job.attempts[1].pid == 4321
    assert job.attempts[1].first_step_at is not None
    assert job.summary == {"test/accuracy": 0.99}
    assert job.place_in_queue is None


def test_a_running_job_shows_what_it_last_said(ada, hand, submit_noop, database):
    job_id = submit_noop()
    hand.take_up()
    live = {"stage": "training", "epoch": 2, "time_left_s": 12.5, "values": {"accuracy": 0.5}}
    with database.write() as session:
        change(session, job_id, progress=0.25, live=live)
    job = ada.get(f"jobs/{job_id}").json
    assert job["live"]["stage"] == "training"
    assert job["live"]["epochs"] is None, "what it has not said is null"
    assert job["live"]["values"] == {"accuracy": 0.5}
    assert (job["time_left_s"], job["progress"]) == (12.5, 0.25)


def test_polling_with_the_etag_is_answered_304_until_the_job_changes(ada, hand, submit_noop):
    job_id = submit_noop()
    first = ada.get(f"jobs/{job_id}")
    etag = first.headers["ETag"]
    assert not etag.startswith("W/")
    again = ada.get(f"jobs/{job_id}", If_None_Match=etag)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    hand.take_up()
    changed = ada.get(f"jobs/{job_id}", If_None_Match=etag)
    assert changed.status_code == 200
    assert changed.json["status"] == "running"
    assert changed.headers["ETag"] != etag


def test_the_etag_changes_when_only_the_place_in_the_queue_does(ada, submit_noop):
    job_id = submit_noop()
    etag = ada.get(f"jobs/{job_id}").headers["ETag"]
    submit_noop(priority=5)
    reply = ada.get(f"jobs/{job_id}", If_None_Match=etag)
    assert (reply.status_code, reply.json["place_in_queue"]) == (200, 2)


def test_the_etag_changes_with_what_is_shown_beside_the_row(ada, hand, submit_noop, database):
    job_id = submit_noop()
    claim = hand.take_up()
    seen = {ada.get(f"jobs/{job_id}").headers["ETag"]}
    with database.write() as session:
        attempts.note_child(session, claim.attempt_id, pid=5)
    seen.add(ada.get(f"jobs/{job_id}").headers["ETag"])
    with database.write() as session:
        runs.note_run(session, claim.run_id, summary={"loss": 0.5})
    seen.add(ada.get(f"jobs/{job_id}").headers["ETag"])
    assert len(seen) == 3


def test_a_304_costs_one_statement_about_the_job(ada, submit_noop, app):
    job_id = submit_noop()
    etag = ada.get(f"jobs/{job_id}").headers["ETag"]
    statements = []
    engine = the_yard(app).database.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    ada.get(f"jobs/{job_id}", If_None_Match=etag)
    about_jobs = [s for s in statements if "jobs" in s]
    assert len(about_jobs) == 1
    assert "spec" not in about_jobs[0]


def test_an_etag_in_a_list_or_weakened_by_a_proxy_is_known_again(ada, submit_noop):
    job_id = submit_noop()
    etag = ada.get(f"jobs/{job_id}").headers["ETag"]
    for sent in (f'"other", {etag}', f"W/{etag}", "*"):
        assert ada.get(f"jobs/{job_id}", If_None_Match=sent).status_code == 304, sent
    assert ada.get(f"jobs/{job_id}", If_None_Match='"other"').status_code == 200


def test_pages_of_jobs_stay_whole_while_jobs_are_added(ada, submit_noop):
    old = [submit_noop(name=f"job {n}") for n in range(7)]
    seen, cursor = [], ""
    while cursor is not None:
        page = ada.get(f"jobs?limit=3{cursor and '&cursor=' + cursor}").json
        seen += [job["id"] for job in page["items"]]
        submit_noop(name="newer")
        cursor = page["next"]
    assert seen == old[::-1]


def test_the_last_page_that_is_just_full_has_no_next(ada, submit_noop):
    for _ in range(2):
        submit_noop()
    page = ada.get("jobs?limit=2").json
    assert (len(page["items"]), page["next"]) == (2, None)


def test_jobs_are_filtered_by_status_kind_and_name(ada, hand, submit_noop):
    running = submit_noop(name="Digits with LeNet")
    waiting = submit_noop(name="100% dense")
    hand.take_up()

    def ids(query):
        return [job["id"] for job in ada.get(f"jobs?{query}").json["items"]]

    assert ids("status=running") == [running]
    assert ids("status=running&status=queued") == [waiting, running]
    assert ids("status=failed") == []
    assert ids("kind=noop") == [waiting, running]
    assert ids("kind=train") == []
    assert ids("name=lenet") == [running]
    assert ids("name=%25") == [waiting], "a percent sign is itself"
    assert ids("name=_") == []


def test_places_in_a_list_are_those_of_the_queue(ada, submit_noop):
    low, high = submit_noop(), submit_noop(priority=9)
    places = {job["id"]: job["place_in_queue"] for job in ada.get("jobs").json["items"]}
    assert places == {high: 1, low: 2}


def test_an_administrator_sees_all_jobs_or_only_their_own(root, submit_noop, admin):
    theirs, mine = submit_noop(), submit_noop(owner=admin)
    assert [job["id"] for job in root.get("jobs").json["items"]] == [mine, theirs]
    assert [job["id"] for job in root.get("jobs?mine=true").json["items"]] == [mine]


def test_a_waiting_job_is_cancelled_at_once_and_again_without_change(ada, submit_noop):
    job_id = submit_noop()
    first = ada.post(f"jobs/{job_id}/cancel")
    assert (first.status_code, first.json["status"]) == (200, "cancelled")
    again = ada.post(f"jobs/{job_id}/cancel")
    assert (again.status_code, again.json) == (200, first.json)


def test_a_running_job_is_asked_to_stop(ada, hand, submit_noop):
    job_id = submit_noop()
    hand.take_up()
    for _ in range(2):
        reply = ada.post(f"jobs/{job_id}/cancel")
        assert (reply.status_code, reply.json["status"], reply.json["cancel_requested"]) == (202, "running", True)
    events = [e["kind"] for e in ada.get(f"jobs/{job_id}/events").json["items"]]
    assert events.count("cancel_requested") == 1


def test_a_finished_job_cannot_be_cancelled(ada, ran):
    reply = ada.post(f"jobs/{ran}/cancel")
    assert (reply.status_code, reply.json["code"]) == (409, "conflict")
    assert "succeeded" in reply.json["detail"]


def test_a_failed_job_is_tried_again_with_all_its_retries(ada, hand, submit_noop):
    job_id = submit_noop(max_retries=1)
    hand.end(hand.take_up(), Outcome.failed("diverged", "The loss is NaN."))
    assert ada.get(f"jobs/{job_id}").json["reason"] == {"code": "diverged", "text": "The loss is NaN."}
    reply = ada.post(f"jobs/{job_id}/retry")
    assert (reply.status_code, reply.json["status"]) == (202, "queued")
    assert reply.headers["Location"] == f"/api/v1/jobs/{job_id}"


def test_a_waiting_or_succeeded_job_cannot_be_tried_again(ada, ran, submit_noop):
    assert ada.post(f"jobs/{ran}/retry").status_code == 409
    assert ada.post(f"jobs/{submit_noop()}/retry").status_code == 409


def test_submitting_rings_for_the_scheduler(ada, settings, eventually):
    with Redis.from_url(settings.redis_address) as broker:
        before = broker.llen("trainyard.schedule")
        ada.post("jobs", {"kind": "noop"})
        assert broker.llen("trainyard.schedule") == before + 1


def test_a_job_is_taken_while_the_broker_is_down(make_app, member):
    caller = Caller(make_app(redis_url=None), member.token)
    reply = caller.post("jobs", {"kind": "noop"})
    assert reply.status_code == 202
    assert caller.get("/readyz").json["checks"]["broker"]["status"] == "degraded"
