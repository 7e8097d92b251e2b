"""What a spec can refer to, in the database."""

from __future__ import annotations

import pytest

from records.access import Viewer
from records.artifacts import add_artifact
from records.blobs import Blob
from records.errors import NotFound
from records.library import CatalogueLibrary
from records.lookup import YardLibrary


def test_a_dataset_of_the_catalogue_is_found_with_or_without_a_database(database):
    with database.read() as session:
        card = YardLibrary(session).dataset("mnist")
    assert card == CatalogueLibrary().dataset("mnist")
    assert (card.ref, card.channels, card.counts["train"]) == ("mnist", 1, 60_000)


def test_an_earlier_job_is_found_with_what_it_kept(database, submit_noop, clock):
    job_id = submit_noop(steps=3)
    with database.write() as session:
        add_artifact(session, job_id, Blob("ab" * 32, 5), name="a.json", kind="table", media_type="x", at=clock())
    with database.read() as session:
        card = YardLibrary(session).run(job_id)
    assert (card.kind, card.status, card.spec["steps"]) == ("noop", "queued", 3)
    assert card.artifacts == {"a.json": "ab" * 32}


def test_another_persons_job_is_as_good_as_absent(database, submit_noop, member, admin):
    job_id = submit_noop(owner=admin)
    with database.read() as session:
        with pytest.raises(NotFound) as hidden:
            YardLibrary(session, Viewer(member.person.id)).run(job_id)
        with pytest.raises(NotFound) as absent:
            YardLibrary(session, Viewer(member.person.id)).run(job_id + 1)
        assert YardLibrary(session, Viewer(admin.person.id)).run(job_id).job_id == job_id
    assert str(hidden.value).replace(str(job_id), "N") == str(absent.value).replace(str(job_id + 1), "N")


def test_without_a_database_there_is_no_earlier_job():
    with pytest.raises(NotFound, match="no job 7"):
        CatalogueLibrary().run(7)
