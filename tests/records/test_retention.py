"""What loses its files, and what never does."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from records import artifacts, editing, jobs, logs
from records.blobs import FolderBlobs
from records.editing import JobEdit
from records.model_tables import ModelVersionTable, RegisteredModelTable
from records.retention import Policy, find_expendable, remove_files, retain_if_due
from records.retries import Outcome
from records.set_tables import DroppedBlobTable
from records.specs import parse_spec
from records.tables import JobTable

DAY = 86_400


@pytest.fixture
def blobs(tmp_path):
    """The yard's files."""
    return FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def ended(yard, blobs):
    """`ended(content, …)`: a job that has just succeeded and kept these files."""
    worker = yard.register()

    def end(*contents, **fields):
        claim = yard.start(worker, **fields)
        for number, content in enumerate(contents):
            (blobs.folder.parent / "text").write_bytes(content)
            blob = blobs.put_file(blobs.folder.parent / "text")
            with yard.database.write() as session:
                args = {"name": f"f{number}", "kind": "k", "media_type": "m/m", "at": yard.clock()}
                artifacts.add_artifact(session, claim.job_id, blob, **args)
        with yard.database.write() as session:
            logs.write_log(session, claim.job_id, 1, [logs.LogLine(yard.clock(), "info", "a line")])
        yard.finish(claim, Outcome.succeeded())
        yard.clock.advance(1)
        return claim.job_id

    return end


def expendable(yard, **policy):
    with yard.database.read() as session:
        return [(each.job_id, each.why) for each in find_expendable(session, Policy(**policy), at=yard.clock())]


def apply(yard, **policy):
    with yard.database.write() as session:
        remove_files(session, find_expendable(session, Policy(**policy), at=yard.clock()), at=yard.clock())


def files(yard, job_id):
    with yard.database.read() as session:
        return [row.name for row in artifacts.list_artifacts(session, job_id)]


def test_files_of_jobs_that_ended_long_ago_go_and_the_record_stays(yard, ended):
    old = ended(b"1", b"2")
    yard.clock.advance(10 * DAY)
    new = ended(b"3")
    assert expendable(yard, days=9) == [(old, "age")]
    assert files(yard, old) == ["f0", "f1"], "looking removes nothing"
    version = yard.job(old).version
    apply(yard, days=9)
    assert (files(yard, old), files(yard, new)) == ([], ["f0"])
    with yard.database.read() as session:
        assert logs.read_log(session, old) == []
        assert len(logs.read_log(session, new)) == 1
        assert len(session.scalars(select(DroppedBlobTable)).all()) == 2
    assert yard.job(old).version > version
    (event,) = yard.events(old, "files_removed")
    assert "2 files" in event.text
    assert expendable(yard, days=9) == []


def test_the_first_to_end_go_until_the_rest_fits(yard, ended):
    first, second, third = ended(b"a" * 100), ended(b"b" * 100), ended(b"c" * 100)
    assert expendable(yard, most_bytes=300) == []
    assert expendable(yard, most_bytes=299) == [(first, "size")]
    assert expendable(yard, most_bytes=199) == [(first, "size"), (second, "size")]
    assert expendable(yard, most_bytes=1) == [(first, "size"), (second, "size"), (third, "size")]


def test_the_same_bytes_of_two_jobs_take_room_once_and_stay_while_one_names_them(yard, ended, blobs):
    first, second = ended(b"a" * 100), ended(b"a" * 100, b"b" * 50)
    assert expendable(yard, most_bytes=150) == []
    assert expendable(yard, most_bytes=149) == [(first, "size"), (second, "size")]
    with yard.database.write() as session:
        found = find_expendable(session, Policy(most_bytes=149), at=yard.clock())[:1]
        remove_files(session, found, at=yard.clock())
        assert session.scalars(select(DroppedBlobTable)).all() == []
    assert (files(yard, first), files(yard, second)) == ([], ["f0", "f1"])


def test_no_limit_means_for_ever(yard, ended):
    ended(b"1")
    yard.clock.advance(10_000 * DAY)
    assert expendable(yard) == []


# ── what stays ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_job_that_is_not_finished_keeps_its_files(yard, ended):
    job_id = ended(b"1")
    with yard.database.write() as session:
        session.get_one(JobTable, job_id).status = "running"
    yard.clock.advance(10 * DAY)
    assert expendable(yard, days=1) == []


def test_a_job_with_the_tag_keep_keeps_its_files(yard, ended):
    kept, tagged_else = ended(b"1"), ended(b"2")
    for job_id, tag in ((kept, "keep"), (tagged_else, "keeper")):
        with yard.database.write() as session:
            args = {"expected": lambda _: True, "actor": "user:grace", "at": yard.clock()}
            editing.edit(session, job_id, JobEdit(tags=("good", tag)), **args)
    yard.clock.advance(10 * DAY)
    assert expendable(yard, days=1) == [(tagged_else, "age")]


def test_a_registered_job_keeps_its_files(yard, ended):
    job_id = ended(b"1")
    with yard.database.write() as session:
        model = RegisteredModelTable(owner_id=yard.owner_id, name="digits", last_number=1, created_at=yard.clock())
        session.add(model)
        session.flush()
        version = {"artifact": "f0", "metrics": {}, "note": None, "created_by": "user:grace"}
        session.add(ModelVersionTable(model_id=model.id, number=1, job_id=job_id, created_at=yard.clock(), **version))
    yard.clock.advance(10 * DAY)
    assert expendable(yard, days=1) == []


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "export", "run": None},
        {"kind": "predict", "run": {"job": None}, "dataset": "mnist"},
        {"kind": "convolutionalise", "run": {"job": None}},
        {"kind": "evaluate", "runs": [{"job": None}]},
        {"kind": "finetune", "base": {"job": None}, "dataset": "mnist"},
        {"kind": "segment", "base": {"job": None}, "dataset": "nuclei", "network": {"name": "fcn8s"}},
    ],
    ids=lambda spec: spec["kind"],
)
def test_a_job_on_which_an_unfinished_one_builds_keeps_its_files(yard, ended, spec):
    job_id = ended(b"1")
    later = yard.submit()
    with yard.database.write() as session:
        named = json.loads(json.dumps(spec).replace("null", str(job_id)))
        session.get_one(JobTable, later).spec = parse_spec(named).model_dump(mode="json")
    yard.clock.advance(10 * DAY)
    assert expendable(yard, days=1) == []
    yard.cancel(later)
    assert expendable(yard, days=1) == [(job_id, "age")]


def test_a_job_that_came_to_be_needed_since_it_was_found_keeps_its_files(yard, ended):
    first, second = ended(b"1"), ended(b"2")
    yard.clock.advance(10 * DAY)
    with yard.database.read() as session:
        found = find_expendable(session, Policy(days=1), at=yard.clock())
    later = yard.submit()
    with yard.database.write() as session:
        session.get_one(JobTable, later).spec = {"kind": "export", "run": first}
        remove_files(session, found, at=yard.clock())
    assert (files(yard, first), files(yard, second)) == (["f0"], [])


# ── by itself ────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_done_once_an_hour_and_only_if_asked(yard, ended):
    def pass_by(**policy):
        with yard.database.write() as session:
            retain_if_due(session, Policy(**policy), at=yard.clock())

    first = ended(b"1")
    yard.clock.advance(2 * DAY)
    pass_by()
    assert files(yard, first) == ["f0"]
    pass_by(days=1)
    assert files(yard, first) == []
    second = ended(b"22")
    yard.clock.advance(3000)
    pass_by(most_bytes=1)
    assert files(yard, second) == ["f0"]
    yard.clock.advance(700)
    pass_by(most_bytes=1)
    assert files(yard, second) == []


def test_a_removed_file_is_answered_as_one_that_is_not_there(yard, ended):
    job_id = ended(b"1")
    yard.clock.advance(2 * DAY)
    apply(yard, days=1)
    with yard.database.read() as session:
        assert artifacts.kept_digests(session, job_id) == {}
        with pytest.raises(jobs.NotFound):
            artifacts.find_artifact(session, job_id, "f0")
