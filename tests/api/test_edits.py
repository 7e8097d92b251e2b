"""Title, note and tags over HTTP, and that showing them costs nothing."""

from __future__ import annotations

from sqlalchemy import event

from api.yard import the_yard
from records.jobs import change


def patch(caller, job_id, body, **headers):
    return caller.send("PATCH", f"jobs/{job_id}", json=body, headers=headers)


def test_what_is_written_on_a_job_is_shown_and_found(ada, submit_noop):
    job_id, other = submit_noop(), submit_noop()
    reply = patch(ada, job_id, {"note": "two\nlines <b>", "tags": ["good", "cv-1"], "name": "Titled"})
    assert reply.status_code == 200
    shown = ada.get(f"jobs/{job_id}")
    assert shown.json == reply.json
    assert (shown.json["note"], shown.json["tags"], shown.json["name"]) == (
        "two\nlines <b>",
        ["good", "cv-1"],
        "Titled",
    )
    assert shown.headers["ETag"] == reply.headers["ETag"]
    patch(ada, other, {"tags": ["good"]})
    assert [job["id"] for job in ada.get("jobs?tag=good").json["items"]] == [other, job_id]
    assert [job["id"] for job in ada.get("jobs?tag=good&tag=cv-1").json["items"]] == [job_id]
    assert ada.get("jobs?tag=goo").json["items"] == []


def test_two_people_do_not_overwrite_each_other(ada, root, submit_noop):
    job_id = submit_noop()
    known = ada.get(f"jobs/{job_id}").headers["ETag"]
    assert patch(root, job_id, {"note": "mine"}, If_Match=known).status_code == 200
    late = patch(ada, job_id, {"note": "mine"}, If_Match=known)
    assert (late.status_code, late.json["code"]) == (412, "precondition_failed")
    assert patch(ada, job_id, {"note": "mine after all"}).status_code == 200, "without the header the last one wins"
    assert patch(ada, job_id, {"note": None}, If_Match="*").json["note"] is None


def test_what_a_job_does_by_itself_is_in_nobodys_way(ada, submit_noop, hand, database):
    job_id = submit_noop()
    known = ada.get(f"jobs/{job_id}").headers["ETag"]
    hand.take_up()
    with database.write() as session:
        change(session, job_id, progress=0.5)
    now = ada.get(f"jobs/{job_id}").headers["ETag"]
    assert now != known
    assert patch(ada, job_id, {"tags": ["seen"]}, If_Match=known).status_code == 200
    assert patch(ada, job_id, {"tags": ["seen-2"]}, If_Match=now).status_code == 412


def test_an_edit_is_seen_by_pollers_and_is_in_the_history(ada, submit_noop):
    job_id = submit_noop()
    known = ada.get(f"jobs/{job_id}").headers["ETag"]
    patch(ada, job_id, {"tags": ["good"]})
    assert ada.get(f"jobs/{job_id}", If_None_Match=known).status_code == 200
    events = ada.get(f"jobs/{job_id}/events").json["items"]
    assert [(e["kind"], e["actor"], e["text"]) for e in events][-1] == ("edited", "user:ada", "Changed tags.")


def test_what_cannot_be_written_is_refused(ada, bob, submit_noop):
    job_id = submit_noop()
    assert patch(ada, job_id, {"tags": ["No"]}).json["problems"][0]["path"] == "tags.0"
    assert patch(ada, job_id, {"status": "succeeded"}).status_code == 422
    assert patch(ada, job_id, ["note"]).status_code == 400
    assert patch(bob, job_id, {"note": "x"}).status_code == 404


def test_a_job_is_shown_in_three_statements_with_its_note_and_tags(ada, submit_noop, app):
    job_id = submit_noop()
    patch(ada, job_id, {"note": "x", "tags": ["a", "b"]})
    ada.get(f"jobs/{job_id}")
    statements: list[str] = []
    event.listen(the_yard(app).database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert ada.get(f"jobs/{job_id}").json["tags"] == ["a", "b"]
    assert len([s for s in statements if s.startswith("SELECT")]) == 3, "who asks, the job, its attempts"
