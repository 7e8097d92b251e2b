"""Title, note and tags of a job."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from records.editing import JobEdit, edit
from records.errors import InvalidSpec, PreconditionFailed
from records.reading import list_jobs, read_job
from records.specs import parse_as


@pytest.fixture
def write(database, clock):
    """`write(job_id, body, edits=None)`: edit as a person does who knows of so many edits."""

    def write_one(job_id, body, edits=None):
        with database.write() as session:
            expected = (lambda known: known == edits) if edits is not None else (lambda known: True)
            wanted = parse_as(JobEdit, body)
            edit(session, job_id, wanted, expected=expected, actor="user:grace", at=clock.advance(1))

    return write_one


def test_what_is_left_out_stays_and_null_takes_away(yard, write):
    job_id = yard.submit(name="sent so")
    write(job_id, {"note": "line one\nline two", "tags": ["good", "lr:0.01", "good"]})
    job = yard.job(job_id)
    assert (job.name, job.note, job.tags) == ("sent so", "line one\nline two", ("good", "lr:0.01"))
    write(job_id, {"name": "better", "note": None})
    job = yard.job(job_id)
    assert (job.name, job.note, job.tags) == ("better", None, ("good", "lr:0.01"))
    assert job.spec["name"] == "sent so", "what was sent stays"
    write(job_id, {"tags": None, "name": None})
    assert (yard.job(job_id).tags, yard.job(job_id).name) == ((), "")


def test_an_edit_leaves_an_event_and_one_that_changes_nothing_does_not(yard, write):
    job_id = yard.submit()
    write(job_id, {"note": "x", "tags": ["a"]})
    before = yard.job(job_id)
    write(job_id, {"note": "x"})
    write(job_id, {})
    after = yard.job(job_id)
    assert (after.version, after.edits) == (before.version, 1)
    assert [(e.text, e.actor) for e in yard.events(job_id, "edited")] == [("Changed note, tags.", "user:grace")]


def test_of_two_that_edit_the_same_state_one_is_told(yard, write, race):
    job_id = yard.submit()
    ends = race(*[lambda tag=tag: write(job_id, {"tags": [tag]}, edits=0) for tag in "ab"])
    assert sorted(type(end).__name__ for end in ends) == ["NoneType", "PreconditionFailed"]
    with pytest.raises(PreconditionFailed, match="Look again"):
        write(job_id, {"tags": ["c"]}, edits=0)
    write(job_id, {"tags": ["c"]}, edits=1)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"tags": ["Good"]}, "tags.0"),
        ({"tags": ["a b"]}, "tags.0"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": ["x" * 51]}, "tags.0"),
        ({"tags": [f"t{n}" for n in range(21)]}, "tags"),
        ({"tags": "good"}, "tags"),
        ({"note": "x" * 5001}, "note"),
        ({"name": "a\nb"}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_written_is_named(body, path):
    with pytest.raises(InvalidSpec) as refused:
        parse_as(JobEdit, body)
    assert path in {problem.path for problem in refused.value.problems}


def test_jobs_are_found_by_all_of_some_tags(database, yard, write):
    jobs = [yard.submit() for _ in range(4)]
    for job_id, tags in zip(jobs, (["good"], ["good", "lr_1"], ["goods", "lrx1"], []), strict=True):
        write(job_id, {"tags": tags})

    def found(*tags):
        with database.read() as session:
            return [row.id for row in list_jobs(session, tags=tags)]

    assert found("good") == [jobs[1], jobs[0]]
    assert found("good", "lr_1") == [jobs[1]]
    assert found("lr_1") == [jobs[1]], "an underscore is itself"
    assert found("%") == []
    assert len(found()) == 4


def test_a_job_from_before_there_were_tags_has_none(database, yard):
    job_id = yard.submit()
    with database.write() as session:
        session.execute(text("UPDATE jobs SET tags = NULL"))
    with database.read() as session:
        row = read_job(session, job_id)
    assert (row.tags, row.note, row.edits, row.cloned_from) == ((), None, 0, None)
