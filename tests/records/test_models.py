"""Registered models: versions that never change, aliases that move once at a time, files that outlive the job's own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select

from records import artifacts, model_reading, models, runs
from records.access import EVERYTHING, Viewer, viewer_of
from records.blobs import Blob
from records.errors import Conflict, NotFound, PreconditionFailed, PreconditionRequired
from records.lookup import YardLibrary
from records.references import parse_reference
from records.retries import Outcome
from records.tables import ArtifactTable, JobTable

FILES = {"model.keras": "model", "best.weights.h5": "weights", "run.json": "record", "mistakes.png": "picture"}


@pytest.fixture
def finish(yard: Any, database: Any, clock: Any) -> Any:
    """`finish(**fields)`: a job that has succeeded and kept four files, each with bytes of its own."""
    worker = yard.register()

    def run_one(**fields: Any) -> int:
        claim = yard.start(worker, **fields)
        with database.write() as session:
            for name, kind in FILES.items():
                blob = Blob(f"{claim.job_id:02d}{len(name):02d}" + "f" * 60, 7)
                artifacts.add_artifact(
                    session, claim.job_id, blob, name=name, kind=kind, media_type="application/zip", at=clock()
                )
            runs.note_run(session, claim.run_id, summary={"test/accuracy": 0.9 + claim.job_id / 100})
        yard.finish(claim, Outcome.succeeded())
        return claim.job_id

    return run_one


@pytest.fixture
def me(yard: Any) -> Viewer:
    """The owner of the yard's jobs."""
    return Viewer(yard.owner_id, sees_all=False)


@pytest.fixture
def register(database: Any, yard: Any, clock: Any) -> Any:
    """`register(job_id, name="digits", **more)`: the number of the new version."""

    def register_one(job_id: int, name: str = "digits", **more: Any) -> int:
        with database.write() as session:
            job = session.get_one(JobTable, job_id)
            asked = {"artifact": "model.keras", "note": None, "actor": "user:grace", "at": clock.advance(1), **more}
            return models.register(session, yard.owner_id, name, job, **asked).number

    return register_one


@pytest.fixture
def move(database: Any, me: Viewer, clock: Any) -> Any:
    """`move(alias, number, expected)`: the id of the alias's last move."""

    def move_one(alias: str, number: int, expected: models.Expected = None) -> int:
        with database.write() as session:
            row = model_reading.find_version(session, me, parse_reference(f"digits@{number}"))
            at = clock.advance(1)
            return models.move_alias(session, row.version, alias, expected=expected, actor="user:grace", at=at).move_id

    return move_one


def test_each_registration_gets_the_next_number_and_the_numbers_of_its_run(database, finish, register, me):
    first, second = finish(), finish()
    assert [register(first), register(second, note="better")] == [1, 2]
    with database.read() as session:
        found = model_reading.find_version(session, me, parse_reference("digits"))
        assert (found.owner, found.version.number, found.version.job_id, found.version.note) == (
            "grace",
            2,
            second,
            "better",
        )
        assert found.version.metrics == {"test/accuracy": 0.9 + second / 100}
        files = model_reading.list_files(session, [found.version.id])[found.version.id]
    assert [file.name for file in files] == ["best.weights.h5", "model.keras", "run.json"], "no pictures"


def test_what_has_not_succeeded_or_is_not_there_cannot_be_registered(database, yard, finish, register):
    waiting = yard.submit()
    with pytest.raises(Conflict, match="is queued"):
        register(waiting)
    job_id = finish()
    with pytest.raises(NotFound, match=r"Did you mean model\.keras"):
        register(job_id, artifact="modle.keras")
    register(job_id)
    with pytest.raises(Conflict, match="POST /models/digits/versions"):
        register(job_id, only_new=True)


def test_two_that_register_at_once_get_two_numbers(database, finish, register, race):
    job_id = finish()
    register(job_id)
    assert sorted(race(*[lambda: register(job_id)] * 4)) == [2, 3, 4, 5]


def test_two_that_make_the_same_name_at_once_make_it_once(database, finish, register, race):
    job_id = finish()
    assert sorted(race(*[lambda: register(job_id, "new")] * 3)) == [1, 2, 3]


def test_a_number_is_never_given_twice(database, finish, register, me):
    job_id = finish()
    register(job_id)
    register(job_id)
    with database.write() as session:
        models.delete_version(session, model_reading.find_version(session, me, parse_reference("digits@2")).version)
    assert register(job_id) == 3


def test_an_alias_moves_and_its_moves_are_on_record(database, finish, register, move, me):
    job_id = finish()
    register(job_id), register(job_id)
    first = move("champion", 1)
    assert move("champion", 1) == first, "a move to where it is already is none"
    second = move("champion", 2, lambda known: known == first)
    assert second != first
    with database.read() as session:
        model, _ = model_reading.find_model(session, me, "digits")
        moves = model_reading.list_moves(session, model.id)
        assert [(m.from_number, m.to_number, m.actor) for m in moves] == [(1, 2, "user:grace"), (None, 1, "user:grace")]
        assert model_reading.find_version(session, me, parse_reference("digits@champion")).version.number == 2


def test_an_alias_is_not_moved_past_somebody_elses_move(finish, register, move):
    job_id = finish()
    register(job_id), register(job_id), register(job_id)
    first = move("champion", 1)
    with pytest.raises(PreconditionRequired, match="If-Match"):
        move("champion", 2)
    move("champion", 2, lambda known: known == first)
    with pytest.raises(PreconditionFailed, match="Somebody has moved"):
        move("champion", 3, lambda known: known == first)


def test_of_two_that_move_an_alias_from_the_same_place_one_wins(finish, register, move, race):
    job_id = finish()
    register(job_id), register(job_id), register(job_id)
    first = move("champion", 1)
    ends = race(*[lambda number=number: move("champion", number, lambda known: known == first) for number in (2, 3)])
    assert sorted(type(end).__name__ for end in ends) == ["PreconditionFailed", "int"]


def test_of_two_that_make_an_alias_at_once_one_wins(finish, register, move, race):
    job_id = finish()
    register(job_id), register(job_id)
    ends = race(*[lambda number=number: move("champion", number) for number in (1, 2)])
    assert sorted(type(end).__name__ for end in ends) == ["PreconditionRequired", "int"]


def test_what_an_alias_points_at_stays(database, finish, register, move, me, clock):
    job_id = finish()
    register(job_id), register(job_id)
    known = move("champion", 1)
    with database.write() as session:
        found = model_reading.find_version(session, me, parse_reference("digits@1"))
        with pytest.raises(Conflict, match="version 1: champion"):
            models.delete_version(session, found.version)
        with pytest.raises(Conflict, match="has aliases: champion"):
            models.delete_model(session, found.model)
        asked = {"actor": "user:grace", "at": clock()}
        with pytest.raises(PreconditionRequired):
            models.delete_alias(session, found.model, "champion", expected=None, **asked)
        models.delete_alias(session, found.model, "champion", expected=lambda move: move == known, **asked)
        with pytest.raises(NotFound):
            models.delete_alias(session, found.model, "champion", expected=None, **asked)
        models.delete_version(session, found.version)
        models.delete_model(session, found.model)
    with database.read() as session, pytest.raises(NotFound):
        model_reading.find_model(session, me, "digits")


def test_the_bytes_of_a_version_are_named_and_found_when_the_jobs_files_are_gone(database, finish, register, me):
    job_id = finish()
    register(job_id)
    with database.write() as session:
        digests = artifacts.kept_digests(session, job_id)
        session.execute(delete(ArtifactTable).where(ArtifactTable.job_id == job_id))
        assert artifacts.unnamed(session, set(digests.values())) == [digests["mistakes.png"]]
        assert artifacts.find_kept(session, job_id, "best.weights.h5") == digests["best.weights.h5"]
        with pytest.raises(NotFound, match=r"kept no 'mistakes\.png'"):
            artifacts.find_kept(session, job_id, "mistakes.png")
        found = model_reading.find_version(session, me, parse_reference("digits"))
        assert set(models.delete_version(session, found.version)) == {
            digests[name] for name in ("model.keras", "best.weights.h5", "run.json")
        }


def test_bytes_that_something_else_names_are_not_given_free(database, finish, register, me):
    job_id = finish()
    register(job_id), register(job_id)
    with database.write() as session:
        found = model_reading.find_version(session, me, parse_reference("digits@1"))
        assert models.delete_version(session, found.version) == []


def test_a_spec_can_name_a_version_and_learns_its_name_for_good(database, finish, register, move, yard, admin):
    job_id = finish()
    register(job_id), register(job_id)
    move("champion", 1)
    with database.read() as session:
        mine, all_seeing = YardLibrary(session, Viewer(yard.owner_id)), YardLibrary(session, viewer_of(admin.person))
        assert mine.model("digits@champion").ref == "grace/digits@1"
        assert mine.model("digits").ref == "grace/digits@2"
        card = all_seeing.model("grace/digits@champion")
        assert (card.run.job_id, card.run.status) == (job_id, "succeeded")
        assert set(card.run.artifacts) == set(FILES)
        for library, ref in [
            (
                YardLibrary(session, Viewer(admin.person.id)),
                "grace/digits",
            ),  # as a member they would see their own alone
            (all_seeing, "digits"),
            (YardLibrary(session), "digits"),
            (mine, "digits@9"),
            (mine, "digits@challenger"),
        ]:
            with pytest.raises(NotFound):
                library.model(ref)


def test_a_list_tells_the_newest_version_and_the_aliases(database, finish, register, move, yard, admin):
    job_id = finish()
    register(job_id), register(job_id), register(job_id, "letters")
    move("champion", 1)
    with database.read() as session:
        rows = model_reading.list_models(session, owner_id=yard.owner_id, after=None, limit=10)
        assert [(r.model.name, r.owner, r.newest.number, r.versions) for r in rows] == [
            ("digits", "grace", 2, 2),
            ("letters", "grace", 1, 1),
        ]
        assert [(a.name, a.number) for a in rows[0].aliases] == [("champion", 1)]
        first = rows[0].model
        behind = model_reading.list_models(session, owner_id=None, after=(first.name, first.id), limit=10)
        assert [r.model.name for r in behind] == ["letters"]
        assert model_reading.list_models(session, owner_id=admin.person.id, after=None, limit=10) == []
        assert [str(name) for name in model_reading.names_of_job(session, EVERYTHING, job_id)] == [
            "grace/digits@1",
            "grace/digits@2",
            "grace/letters@1",
        ]


def test_a_version_is_read_back_as_it_was_registered_whatever_the_run_says_later(database, finish, register, me):
    job_id = finish()
    register(job_id)
    with database.write() as session:
        run = session.scalar(select(runs.RunTable).where(runs.RunTable.job_id == job_id))
        runs.note_run(session, run.id, summary={"test/accuracy": 0.1})
    with database.read() as session:
        version = model_reading.find_version(session, me, parse_reference("digits@1")).version
    assert version.metrics == {"test/accuracy": 0.9 + job_id / 100}
