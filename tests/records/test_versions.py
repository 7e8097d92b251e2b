"""The life of a version: begun by a person, decided by a worker, deleted by a person; and who may see it."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from records import intakes
from records.access import Viewer
from records.dropped import rested, unnamed
from records.errors import Conflict, DatasetInUse, InvalidSpec, LeaseLost, NotFound, QuotaReached
from records.image_sets import find_version, list_sets, list_versions, parse_reference
from records.jobs import submit
from records.lookup import YardLibrary
from records.quotas import Quota, used_bytes
from records.set_tables import SetVersionTable
from records.specs import parse_spec
from records.states import VERSION_MOVES, VersionStatus
from records.tables import WorkerTable
from records.versions import Parent
from records.workers import register
from tests.records.own_sets import LEASE_S, Sets, digest


@pytest.fixture
def sets(database, clock):
    """A yard with anna, bob and their datasets."""
    return Sets(database, clock)


def submit_on(sets, person, *refs):
    spec = parse_spec({"kind": "noop"}, test_kinds=True)
    with sets.database.write() as session:
        job = submit(
            session, spec, owner_id=person.id, actor="user", parameters=0, at=sets.clock.advance(1), datasets=refs
        )
        return job.id


# ── beginning ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_version_is_checked_and_then_ready_with_what_it_holds(sets):
    version = sets.begin()
    assert (version.number, version.status, version.tries) == (1, "checking", 0)
    claim = sets.claim()
    assert (claim.ref, claim.tries, claim.upload_sha256) == ("anna/ants@1", 1, digest(version.upload_id))
    sets.finish(claim, images=7)
    row = sets.version(version.id)
    assert (row.status, row.images, row.counts, row.classes) == ("ready", 7, {"train": 7}, ["ant", "bee"])
    assert (row.sha256, row.worker_id, row.lease_expires_at) == (digest("manifest"), None, None)
    assert row.size_bytes == sum(len(f"manifest {name} 1") for name in sets.files(version.id))
    assert sets.upload_row(version.upload_id) is None, "what is taken in needs its archive no more"


def test_a_name_of_the_catalogue_and_ones_own_cannot_be_taken(sets):
    sets.ready("ants")
    with pytest.raises(Conflict, match="catalogue"):
        sets.begin("mnist")
    with pytest.raises(Conflict, match="have a dataset ants already"):
        sets.begin("ants")
    assert sets.begin("ants", sets.bob).number == 1, "two people may use one name"


def test_a_name_that_is_being_checked_is_taken_and_one_that_was_refused_is_not(sets):
    first = sets.begin()
    with pytest.raises(Conflict):
        sets.begin()
    sets.refuse(sets.claim())
    again = sets.begin(upload_id=first.upload_id)
    assert (again.set_id, again.number, again.parent_number) == (first.set_id, 2, None)


def test_of_two_that_race_for_one_name_one_gets_it(sets, race):
    uploads = [sets.upload(), sets.upload()]
    results = race(*(lambda u=u: sets.begin("ants", upload_id=u) for u in uploads))
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "SetVersionTable"]
    with sets.database.read() as session:
        assert [found.ref for found in list_sets(session, Viewer(sees_all=True))] == ["anna/ants"]


def test_an_upload_must_be_ones_own_and_whole(sets):
    with pytest.raises(NotFound):
        sets.begin(upload_id=sets.upload(sets.bob))
    with pytest.raises(NotFound):
        sets.begin(upload_id="f" * 32)
    with pytest.raises(Conflict, match="not whole"):
        sets.begin(upload_id=sets.upload(whole=False))


def test_a_person_may_have_only_so_many_sets(sets):
    few = Quota(10**9, datasets=1, images=10)
    sets.begin("one", quota=few)
    with pytest.raises(QuotaReached, match="have 1 datasets"):
        sets.begin("two", quota=few)
    sets.begin("two", sets.bob, quota=few)


# ── adding ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_later_version_adds_to_the_newest_ready_one_and_names_its_packs(sets):
    first = sets.ready()
    second = sets.add()
    assert second.parent_number == 1
    claim = sets.claim()
    assert claim.parent_manifest_sha256 == first.sha256
    sets.finish(claim, text="more")
    assert sets.files(second.id) == ["manifest.json", "packs/p1-0.zip", "packs/p2-0.zip", "report.json"]
    assert sets.files(first.id) == ["manifest.json", "packs/p1-0.zip", "report.json"]


def test_a_version_may_have_another_parent_or_none(sets):
    sets.ready()
    sets.add()
    sets.take_in(text="two")
    assert sets.add(parent=Parent(1)).parent_number == 1
    assert sets.add(parent=Parent(none=True)).parent_number is None
    with pytest.raises(NotFound, match="no version 9"):
        sets.add(parent=Parent(9))
    with pytest.raises(Conflict, match="only a ready one"):
        sets.add(parent=Parent(3))


def test_a_version_has_the_task_of_its_parent(sets):
    sets.ready()
    with pytest.raises(InvalidSpec) as caught:
        sets.add(task="segmentation")
    assert caught.value.problems[0].path == "task"


def test_numbers_are_never_given_twice(sets):
    sets.ready()
    sets.add()
    sets.take_in()
    sets.delete(number=2)
    assert sets.add().number == 3


# ── checking ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_many_claims_one_wins(sets, race):
    sets.begin()
    workers = [sets.worker() for _ in range(4)]
    claims = race(*(lambda w=w: sets.claim(w) for w in workers))
    assert [claim for claim in claims if claim is not None] == [
        claim for claim in claims if getattr(claim, "tries", 0) == 1
    ]
    assert sum(claim is not None for claim in claims) == 1


def test_what_waits_longest_is_claimed_first(sets):
    numbers = [sets.begin(name).id for name in ("a", "b", "c")]
    assert [sets.claim().version_id for _ in numbers] == numbers
    assert sets.claim() is None


def test_a_folder_is_claimed_only_by_a_worker_that_may_read_it(sets, tmp_path):
    version = sets.begin(folder=str(tmp_path / "photos" / "ants"))
    assert sets.claim() is None
    assert sets.claim(folders=(tmp_path / "phot",)) is None, "a name that only begins alike"
    claim = sets.claim(folders=(tmp_path / "other", tmp_path / "photos"))
    assert (claim.version_id, claim.folder) == (version.id, str(tmp_path / "photos" / "ants"))


def test_progress_extends_the_lease(sets):
    version = sets.begin()
    claim = sets.claim()
    for _ in range(3):
        sets.clock.advance(LEASE_S - 1)
        with sets.database.write() as session:
            intakes.renew(session, claim, lease_s=LEASE_S, at=sets.clock(), progress={"stage": "reading", "done": 3})
        assert expire(sets) == []
    assert sets.version(version.id).progress["done"] == 3


def test_a_lost_check_is_begun_again_and_given_up_at_last(sets):
    version = sets.begin()
    for tries in (1, 2, 3):
        lost = sets.claim()
        assert lost.tries == tries
        sets.store(lost, "packs/p1-0.zip", f"try {tries}")
        sets.clock.advance(LEASE_S + 1)
        assert expire(sets) == [version.id]
        with pytest.raises(LeaseLost):
            sets.store(lost, "manifest.json", "late")
        with pytest.raises(LeaseLost):
            sets.finish(lost)
    row = sets.version(version.id)
    assert (row.status, row.reason_code) == ("refused", "intake_lost")
    assert "3 times" in row.reason_text
    assert sets.files(version.id) == []


def test_an_earlier_try_cannot_write_once_a_later_has_begun(sets):
    version = sets.begin()
    worker = sets.worker()
    first = sets.claim(worker)
    sets.clock.advance(LEASE_S + 1)
    expire(sets)
    second = sets.claim(worker)  # the same worker, so that only the number tells them apart
    with pytest.raises(LeaseLost):
        sets.finish(first)
    sets.finish(second)
    assert sets.version(version.id).status == "ready"


def test_a_check_that_is_given_back_costs_no_try(sets):
    version = sets.begin()
    for _ in range(5):
        claim = sets.claim()
        with sets.database.write() as session:
            intakes.release_intake(session, claim)
    row = sets.version(version.id)
    assert (row.tries, row.worker_id, row.status) == (0, None, "checking")


def test_a_worker_that_begins_anew_frees_what_its_earlier_life_held(sets):
    version = sets.begin()
    worker = sets.worker()
    sets.claim(worker)
    with sets.database.write() as session:
        register(session, worker.name, host="h", pid=2, version="0", devices=[], at=sets.clock())
    assert sets.version(version.id).worker_id is None
    assert sets.claim().tries == 2


def test_a_refused_version_keeps_its_report_and_its_upload_for_another_day(sets):
    version = sets.begin()
    claim = sets.claim()
    for name in ("report.json", "packs/p1-0.zip"):
        sets.store(claim, name, name)
    sets.clock.advance(3)
    sets.refuse(claim)
    row = sets.version(version.id)
    assert (row.status, row.reason_code, row.reason_text) == ("refused", "bad_files", "Two files are bad.")
    assert sets.files(version.id) == ["report.json"]
    assert sets.upload_row(version.upload_id).touched_at == sets.clock()
    assert dropped(sets) == [digest("packs/p1-0.zip")]


def test_a_decided_version_never_changes(sets):
    version = sets.ready()
    claim = sets.claim()
    assert claim is None
    with sets.database.write() as session:
        session.execute(update(SetVersionTable).values(worker_id=1, tries=1))  # as a worker might remember it
        worker = session.scalars(select(WorkerTable)).first()
        forged = intakes._claim(session, version.id, worker)
    for act in (sets.refuse, sets.finish, lambda c: sets.store(c, "manifest.json", "forged")):
        with pytest.raises(LeaseLost):
            act(forged)
    assert sets.version(version.id).sha256 == version.sha256
    assert VERSION_MOVES[VersionStatus.READY] == frozenset()


def test_a_version_over_the_quota_is_not_made_ready(sets):
    sets.ready("one", images=8)
    sets.begin("two")
    claim = sets.claim()
    with pytest.raises(QuotaReached, match="8 images"):
        sets.finish(claim, images=3, quota=Quota(10**9, 10, images=10))
    with pytest.raises(QuotaReached, match="bytes"):
        sets.finish(claim, images=3, quota=Quota(10, 10, images=100))
    sets.finish(claim, images=2, quota=Quota(10**9, 10, images=10))


def test_the_largest_version_of_a_set_counts_and_bytes_that_versions_share_count_once(sets):
    sets.ready(images=8)
    with sets.database.read() as session:
        before = used_bytes(session, sets.anna.id)
    sets.add()
    sets.take_in(images=10, quota=Quota(10**9, 10, images=10), text="two")
    with sets.database.read() as session:
        after = used_bytes(session, sets.anna.id)
        assert after - before == sum(
            len(f"two {name} 2") for name in ("manifest.json", "report.json", "packs/p2-0.zip")
        )
        assert used_bytes(session, sets.bob.id) == 0


def test_an_upload_counts_as_large_as_it_is_to_become(sets):
    sets.upload(whole=False, size_bytes=900)
    with sets.database.read() as session:
        assert used_bytes(session, sets.anna.id) == 900


# ── deleting ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_deleting_a_version_drops_only_what_no_other_names(sets):
    first = sets.ready()
    sets.add()
    sets.take_in(text="two")
    packs = {digest("manifest packs/p1-0.zip 1"), digest("two packs/p2-0.zip 2")}
    sets.delete(number=1)
    assert sets.files(first.id) == []
    with sets.database.read() as session:
        assert not packs & set(unnamed(session, packs)), "the second version still has the first one's pack"
    sets.delete()
    with sets.database.read() as session:
        assert packs <= set(unnamed(session, rested(session, before=sets.clock.advance(1))))
        assert list_sets(session, Viewer(sets.anna.id)) == []


def test_a_version_that_a_job_names_stays_and_the_answer_lists_the_jobs(sets):
    sets.ready()
    mine = [submit_on(sets, sets.anna, "anna/ants@1", "mnist") for _ in range(2)]
    submit_on(sets, sets.bob, "anna/ants@1")
    for number in (1, None):
        with pytest.raises(DatasetInUse) as caught:
            sets.delete(number=number)
        assert (caught.value.jobs, caught.value.others) == (tuple(reversed(mine)), 1)
        assert f"jobs {mine[1]}, {mine[0]} and 1 job that is not listed" in caught.value.text
    with pytest.raises(DatasetInUse) as caught:
        sets.delete(viewer=Viewer(sets.anna.id, sees_all=True))
    assert len(caught.value.jobs) == 3
    assert sets.find("ants", Viewer(sets.anna.id)).newest.number == 1


def test_a_job_cannot_name_what_has_just_been_deleted(sets):
    sets.ready()
    sets.delete(number=1)
    with pytest.raises(InvalidSpec, match="just been deleted"):
        submit_on(sets, sets.anna, "anna/ants@1")
    sets.begin("wasps")
    with pytest.raises(InvalidSpec, match="just been deleted"):
        submit_on(sets, sets.anna, "anna/wasps@1")


def test_of_deleting_and_submitting_at_once_one_comes_first(sets, race):
    for round_ in range(5):
        name = f"ants{round_}"
        sets.ready(name)
        results = race(lambda n=name: sets.delete(n, 1), lambda n=name: submit_on(sets, sets.anna, f"anna/{n}@1"))
        kinds = [type(result).__name__ for result in results]
        assert kinds in (["NoneType", "InvalidSpec"], ["DatasetInUse", "int"]), kinds


def test_deleting_what_is_checked_ends_its_check(sets):
    sets.begin()
    claim = sets.claim()
    sets.store(claim, "packs/p1-0.zip", "pack")
    sets.delete()
    with pytest.raises(LeaseLost):
        sets.finish(claim)
    assert dropped(sets) == [digest("pack")]


def test_a_version_that_another_is_being_added_to_cannot_be_deleted(sets):
    sets.ready()
    sets.add()
    with pytest.raises(Conflict, match="Version 2 is being checked"):
        sets.delete(number=1)
    sets.take_in(text="two")
    sets.delete(number=1)


def test_a_set_is_emptied_and_its_name_used_again(sets):
    sets.ready()
    sets.delete(number=1)
    with pytest.raises(NotFound):
        sets.delete(number=1)
    assert sets.begin().number == 2


def test_two_that_delete_at_once_do_it_once(sets, race):
    sets.ready()
    results = race(lambda: sets.delete(), lambda: sets.delete())
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "NotFound"]


# ── seeing ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_persons_set_is_as_good_as_absent(sets):
    sets.ready("ants")
    bob, admin = Viewer(sets.bob.id), Viewer(sets.bob.id, sees_all=True)
    texts = []
    for name, owner in (("ants", None), ("ants", "anna"), ("gnats", "anna")):
        with pytest.raises(NotFound) as caught:
            sets.find(name, bob, owner)
        texts.append(caught.value.text.replace("gnats", "ants"))
    assert texts[1] == texts[2]
    with sets.database.read() as session:
        assert list_sets(session, bob) == []
        assert [found.ref for found in list_sets(session, admin)] == ["anna/ants"]
        assert list_sets(session, admin, mine=True) == []
    assert sets.find("ants", admin, "anna").ref == "anna/ants"
    with pytest.raises(NotFound):
        sets.find("ants", admin)


def test_a_bare_name_that_several_people_use_must_say_whose(sets):
    sets.ready("ants")
    assert sets.find("ants", Viewer(sees_all=True)).ref == "anna/ants"
    sets.ready("ants", sets.bob)
    with pytest.raises(NotFound, match="More than one person"):
        sets.find("ants", Viewer(sees_all=True))


def test_a_list_goes_on_behind_its_last_row(sets):
    for name in ("c", "a", "b"):
        sets.begin(name)
    with sets.database.read() as session:
        viewer = Viewer(sets.anna.id)
        first = list_sets(session, viewer, limit=2)
        rest = list_sets(session, viewer, past=(first[-1].row.name, first[-1].row.id))
    assert [[found.row.name for found in part] for part in (first, rest)] == [["a", "b"], ["c"]]


def test_a_reference_is_read_with_and_without_owner_and_version():
    assert vars(parse_reference("ants-bees")) == {"name": "ants-bees", "owner": None, "number": None}
    assert vars(parse_reference("anna/ants@12")) == {"name": "ants", "owner": "anna", "number": 12}
    assert parse_reference("a/b@c/ants@2").owner == "a/b@c"


@pytest.mark.parametrize(
    "text", ["", "Ants", "ants@0", "ants@x", "ants@", "/ants", "anna/", "x" * 64, "a@1@2", "a\x00/b", "\ud800/b"]
)
def test_what_is_no_reference_is_told_so(text):
    with pytest.raises(NotFound):
        parse_reference(text)


def test_versions_are_listed_the_newest_first(sets):
    version = sets.ready()
    sets.add()
    with sets.database.read() as session:
        assert [row.number for row in list_versions(session, version.set_id)] == [2, 1]
        assert [row.number for row in list_versions(session, version.set_id, below=2)] == [1]


# ── referring ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reference_is_pinned_to_the_newest_ready_version(sets):
    version = sets.ready()
    sets.add()
    with sets.database.read() as session:
        card = YardLibrary(session, Viewer(sets.anna.id)).dataset("ants")
        assert (card.ref, card.classes, card.counts, card.channels) == ("anna/ants@1", ("ant", "bee"), {"train": 10}, 3)
        assert (card.image_shape, card.sha256, card.task) == (None, version.sha256, "classification")
        assert YardLibrary(session).dataset("anna/ants@1") == card
        assert YardLibrary(session, Viewer(sets.anna.id, sees_all=True)).dataset("ants@1") == card


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("ants@2", "is checking"),
        ("ants@3", "no version 3"),
        ("gnats", "No dataset is called"),
        ("bob/ants", "No dataset is called"),
        ("wasps", "No version of anna/wasps is ready"),
        ("mnits", "Did you mean mnist"),
    ],
)
def test_what_cannot_be_used_is_told_with_the_reason(sets, ref, said):
    sets.ready()
    sets.add()
    sets.begin("wasps")
    with sets.database.read() as session, pytest.raises(NotFound, match=said):
        YardLibrary(session, Viewer(sets.anna.id)).dataset(ref)


def test_another_person_cannot_refer_to_a_set(sets):
    sets.ready()
    with sets.database.read() as session:
        for ref in ("ants", "anna/ants", "anna/ants@1"):
            with pytest.raises(NotFound, match="No dataset is called"):
                YardLibrary(session, Viewer(sets.bob.id)).dataset(ref)


def test_a_refused_version_tells_why_it_cannot_be_used(sets):
    version = sets.begin()
    sets.refuse(sets.claim())
    with sets.database.read() as session, pytest.raises(NotFound, match=r"is refused.*Two files are bad"):
        YardLibrary(session, Viewer(sets.anna.id)).dataset("ants@1")
    with sets.database.read() as session:
        assert find_version(session, sets.find("ants", Viewer(sets.anna.id)), 1).id == version.id


def expire(sets):
    with sets.database.write() as session:
        return intakes.expire_intakes(session, at=sets.clock())


def dropped(sets):
    with sets.database.read() as session:
        return rested(session, before=sets.clock.advance(1))
