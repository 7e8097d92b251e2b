"""Checks of people's datasets: supervised, interrupted, lost, refused, and what they leave behind."""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import psutil
import pytest
from sqlalchemy import update

from records import image_sets, intakes, uploads, versions
from records.access import Viewer
from records.clock import utc_now
from records.image_sets import list_files
from records.inputs import DatasetInput
from records.intake import IntakeReport, Manifest
from records.lookup import YardLibrary
from records.quotas import Quota
from records.set_tables import SetVersionTable
from records.upload_parts import UploadParts
from records.versions import Parent, Source
from tests.pictures import folder_a_class, pack, picture
from tests.worker.process import gone
from worker.inputs import _stage
from worker.intake import check_version
from worker.intake_lane import IntakeLane
from worker.own_datasets import drop_unused

STAND_IN = Path(__file__).with_name("stand_in.py")
OPTIONS = {"task": "classification", "skip_bad": False}
ROOMY = Quota(10**9, 10, 10**6)


class Checker:
    """Ada's datasets, and a worker inside this process that checks them."""

    def __init__(self, place, person):
        self.place = place
        self.person = person

    def upload(self, content):
        """A whole upload of these bytes."""
        parts = UploadParts(self.place.blobs)
        with self.place.database.write() as session:
            row = uploads.begin_upload(
                session, self.person.id, "a.zip", size_bytes=len(content), sha256=None, quota=ROOMY, at=utc_now()
            )
        with parts.writing(row.id, 0) as writer:
            writer.write(content)
        blob = parts.become_blob(row.id)
        with self.place.database.write() as session:
            uploads.complete(session, row.id, blob.sha256, at=utc_now())
        return row.id

    def begin(self, content=None, name="ants", *, folder=None, **options):
        """A version that waits; its id."""
        upload_id = None if content is None else self.upload(content)
        with self.place.database.write() as session:
            row = versions.begin_set(
                session,
                self.person.id,
                name,
                source=Source(upload_id, folder),
                options={**OPTIONS, **options},
                quota=ROOMY,
                at=utc_now(),
            )
            return row.id

    def add(self, content, name="ants", **options):
        """The next version; its id."""
        upload_id = self.upload(content)
        with self.place.database.write() as session:
            found = image_sets.find_set(session, name, Viewer(self.person.id))
            row = versions.begin_version(
                session,
                found,
                person_id=self.person.id,
                source=Source(upload_id),
                parent=Parent(),
                options={**OPTIONS, **options},
                at=utc_now(),
            )
            return row.id

    def claim(self, place=None):
        """Take up what waits."""
        place = place or self.place
        with place.database.write() as session:
            return intakes.claim_intake(
                session,
                place.row,
                folders=place.settings.dataset_folders,
                lease_s=place.settings.lease_s,
                at=utc_now(),
            )

    def check(self, how=None, place=None):
        """Claim and check what waits; with a word, by the stand-in."""
        place, claim = place or self.place, self.claim(place)
        more = {} if how is None else {"command": stand_in(how)}
        check_version(place, claim, **more)
        assert not list(place.settings.scratch_folder.iterdir())

    def row(self, version_id):
        """How a version stands."""
        with self.place.database.read() as session:
            return session.get(SetVersionTable, version_id)

    def files(self, version_id):
        """What it has stored, by name."""
        with self.place.database.read() as session:
            return {name: self.place.blobs.path(row.sha256) for name, row in list_files(session, version_id).items()}

    def read(self, version_id, name):
        """The JSON of a stored file."""
        return json.loads(self.files(version_id)[name].read_bytes())


@pytest.fixture
def ada(place, member):
    """Ada's datasets and a worker."""
    return Checker(place, member.person)


def stand_in(how):
    return (sys.executable, str(STAND_IN), how)


def with_settings(place, **changes):
    from dataclasses import replace

    return replace(place, settings=place.settings.model_copy(update=changes))


# ── with the real intake ─────────────────────────────────────────────────────────────────────────────────────


def test_images_are_taken_in_and_everything_is_stored_before_the_version_is_ready(ada):
    version_id = ada.begin(pack(folder_a_class()))
    ada.check()
    row = ada.row(version_id)
    assert (row.status, row.classes, row.images, row.channels) == ("ready", ["ants", "bees"], 12, 3)
    assert sum(row.counts.values()) == 12
    files = ada.files(version_id)
    assert set(files) == {
        "manifest.json", "report.json", "sheet.png", "sheets/0.png", "sheets/1.png", "packs/p1-0.zip",
    }  # fmt: skip
    assert row.sha256 == hashlib.sha256(files["manifest.json"].read_bytes()).hexdigest()
    assert row.size_bytes == sum(path.stat().st_size for path in files.values())
    manifest = Manifest.model_validate_json(files["manifest.json"].read_bytes())
    for split, count in row.counts.items():
        assert sum(image.split == split for image in manifest.images) == count
    IntakeReport.model_validate_json(files["report.json"].read_bytes())


def test_a_bad_file_refuses_the_set_and_the_same_upload_is_taken_without_it(ada):
    files = {**folder_a_class(), "bees/broken.jpg": picture(5)[:300]}
    first = ada.begin(pack(files))
    ada.check()
    row = ada.row(first)
    assert (row.status, row.reason_code) == ("refused", "bad_files")
    assert "bees/broken.jpg" in row.reason_text
    assert set(ada.files(first)) == {"report.json"}
    assert ada.read(first, "report.json")["bad_files"] == 1
    with ada.place.database.write() as session:
        second = versions.begin_set(
            session,
            ada.person.id,
            "ants",
            source=Source(row.upload_id),
            options={**OPTIONS, "skip_bad": True},
            quota=ROOMY,
            at=utc_now(),
        ).id
    ada.check()
    assert (ada.row(second).status, ada.row(second).images) == ("ready", 12)


def test_added_images_come_beside_those_of_the_version_before(ada):
    first = ada.begin(pack(folder_a_class()))
    ada.check()
    second = ada.add(pack(folder_a_class(each=4, seed=500, classes=("bees", "wasps"))))
    ada.check()
    row = ada.row(second)
    assert (row.classes, row.images, row.parent_number) == (["ants", "bees", "wasps"], 20, 1)
    assert {"packs/p1-0.zip", "packs/p2-0.zip"} <= set(ada.files(second))
    assert ada.files(second)["packs/p1-0.zip"] == ada.files(first)["packs/p1-0.zip"]
    old = [line for line in ada.files(first)["manifest.json"].read_text().splitlines()[1:-1]]
    assert ada.files(second)["manifest.json"].read_text().splitlines()[1 : len(old) + 1] == [
        line.rstrip(",") + "," for line in old
    ]


def test_what_is_no_archive_is_refused_with_the_reason(ada):
    version_id = ada.begin(b"not an archive at all" * 100)
    ada.check()
    row = ada.row(version_id)
    assert row.status == "refused"
    assert row.reason_code
    assert row.reason_text


def test_a_set_over_the_quota_is_refused_with_its_report(ada):
    version_id = ada.begin(pack(folder_a_class()))
    ada.check(place=with_settings(ada.place, quota_images=11))
    row = ada.row(version_id)
    assert (row.status, row.reason_code) == ("refused", "quota_reached")
    assert set(ada.files(version_id)) == {"report.json"}


def test_what_was_taken_in_is_staged_as_a_jobs_input_image_by_image(ada, tmp_path):
    ada.begin(pack(folder_a_class()))
    ada.check()
    second = ada.add(pack(folder_a_class(each=4, seed=500, classes=("bees", "wasps"))))
    ada.check()
    with ada.place.database.read() as session:
        ref = YardLibrary(session, Viewer(ada.person.id)).dataset("ants").ref
    assert ref == "ada/ants@2"

    class Told:
        lines: ClassVar[list[str]] = []

        def stage(self, stage):
            assert stage == "fetching"

        def log(self, text):
            self.lines.append(text)

    with ExitStack() as held:
        folder, sha256 = _stage(ada.place, DatasetInput(ref), tmp_path, recorder=Told(), held=held, check=lambda: None)
        manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
        assert sha256 == ada.row(second).sha256
        assert len(manifest.images) == 20
        for image in manifest.images:
            content = (folder / "images" / image.file).read_bytes()
            assert hashlib.sha256(content).hexdigest() == image.sha256
        assert drop_unused(ada.place.settings.cache_folder, most_bytes=0) == [], "a job uses it"
    assert drop_unused(ada.place.settings.cache_folder, most_bytes=0) == [sha256]
    assert any("2 packs" in line for line in Told.lines)


# ── folders of the server ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def photos(tmp_path):
    """A folder that the worker may read, with a set in it."""
    folder = tmp_path / "photos"
    for name, content in folder_a_class().items():
        path = folder / "ants-bees" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_a_folder_is_read_where_it_lies(ada, photos):
    version_id = ada.begin(folder=str(photos / "ants-bees"))
    ada.check(place=with_settings(ada.place, dataset_folders=(photos,)))
    assert ada.row(version_id).images == 12
    assert len(list((photos / "ants-bees").rglob("*.jpg"))) == 12


def test_a_link_out_of_the_allowed_folders_is_not_followed(ada, photos, tmp_path):
    (tmp_path / "secret").mkdir()
    (photos / "way-out").symlink_to(tmp_path / "secret")
    version_id = ada.begin(folder=str(photos / "way-out"))
    ada.check(place=with_settings(ada.place, dataset_folders=(photos,)))
    assert (ada.row(version_id).status, ada.row(version_id).reason_code) == ("refused", "folder_not_allowed")


def test_a_folder_that_is_not_there_is_told(ada, photos):
    version_id = ada.begin(folder=str(photos / "absent"))
    ada.check(place=with_settings(ada.place, dataset_folders=(photos,)))
    assert ada.row(version_id).reason_code == "folder_missing"


# ── ending badly, with a stand-in ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["die", "kill", "empty", "lie"])
def test_a_check_that_breaks_is_tried_three_times_and_then_given_up(ada, how):
    version_id = ada.begin(b"x")
    for tries in (1, 2):
        ada.check(how)
        row = ada.row(version_id)
        assert (row.status, row.worker_id, row.tries) == ("checking", None, tries)
    ada.check(how)
    row = ada.row(version_id)
    assert (row.status, row.reason_code) == ("refused", "intake_failed")
    assert "tried 3 times" in row.reason_text
    if how == "die":
        assert "something broke" in row.reason_text


def test_nonsense_is_passed_over(ada):
    version_id = ada.begin(b"x")
    ada.check("nonsense")
    assert "left no" not in (ada.row(version_id).reason_text or "")
    assert ada.row(version_id).status == "checking"


def test_a_check_may_not_take_longer_than_its_time(ada):
    version_id = ada.begin(b"x")
    ada.check("hang", place=with_settings(ada.place, intake_limit_s=1.0))
    row = ada.row(version_id)
    assert (row.status, row.reason_code) == ("refused", "time_limit")
    assert uploads_left(ada) == [row.upload_id]


def test_a_link_that_a_report_is_is_not_followed(ada):
    version_id = ada.begin(b"x")
    ada.check("link")
    assert ada.row(version_id).status == "refused"
    assert ada.files(version_id) == {}


def test_the_check_sees_nothing_of_the_yard_in_its_environment(ada, monkeypatch):
    from records.settings import child_environment

    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("TRAINYARD_TOKEN", "secret")
    ada.place.children.environment = child_environment()
    version_id = ada.begin(b"x")
    ada.check("environment")
    seen = json.loads(ada.row(version_id).reason_text)
    assert "PATH" in seen
    assert not [name for name in seen if name.startswith(("TRAINYARD", "DATABASE", "REDIS"))]


def test_bytes_of_an_upload_that_are_gone_are_told(ada):
    version_id = ada.begin(b"x")
    ada.place.blobs.delete(hashlib.sha256(b"x").hexdigest())
    ada.check("die")
    assert ada.row(version_id).reason_code == "upload_gone"


# ── being stopped ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_version_that_is_deleted_meanwhile_ends_its_check_and_all_its_processes(ada, in_thread, eventually):
    version_id = ada.begin(b"x")
    claim = ada.claim()
    checking = in_thread(lambda: check_version(ada.place, claim, command=stand_in("hang")))
    pid = await_pid(ada, eventually)
    group = [pid, *(child.pid for child in psutil.Process(pid).children())]
    assert len(group) == 2
    with ada.place.database.write() as session:
        found = image_sets.find_set(session, "ants", Viewer(ada.person.id))
        versions.delete_set(session, found, viewer=Viewer(ada.person.id), at=utc_now())
    checking.join(30)
    assert not checking.is_alive()
    assert all(gone(one) for one in group)
    assert ada.row(version_id) is None
    assert not list(ada.place.settings.scratch_folder.iterdir())


def test_a_worker_that_shuts_down_gives_the_version_back_at_no_cost(ada, in_thread, eventually):
    version_id = ada.begin(b"x")
    claim = ada.claim()
    checking = in_thread(lambda: check_version(ada.place, claim, command=stand_in("hang")))
    pid = await_pid(ada, eventually)
    ada.place.draining.set()
    checking.join(30)
    row = ada.row(version_id)
    assert (row.status, row.worker_id, row.tries) == ("checking", None, 0)
    assert gone(pid)


def test_a_check_whose_lease_is_lost_writes_nothing_more(ada, in_thread, eventually):
    version_id = ada.begin(b"x")
    claim = ada.claim()
    checking = in_thread(lambda: check_version(ada.place, claim, command=stand_in("hang")))
    await_pid(ada, eventually)
    with ada.place.database.write() as session:
        session.execute(
            update(SetVersionTable)
            .where(SetVersionTable.id == version_id)
            .values(lease_expires_at=utc_now() - timedelta(days=1))
        )
        intakes.expire_intakes(session, at=utc_now())
    checking.join(30)
    row = ada.row(version_id)
    assert (row.status, row.worker_id, row.tries) == ("checking", None, 1)


# ── the lane ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_lane_checks_one_after_the_other_whenever_it_is_rung(ada, eventually):
    ids = [ada.begin(pack(folder_a_class(seed=n * 10_000)), f"set{n}") for n in range(2)]
    with IntakeLane(ada.place) as lane:
        lane.ring()
        eventually(lambda: all(ada.row(i).status == "ready" for i in ids), within_s=90)
        again = ada.begin(b"x", "later")
        lane.ring()
        eventually(lambda: ada.row(again).status == "refused", within_s=60)


def test_the_lane_outlives_what_happens_in_it(ada, eventually):
    first = ada.begin(b"x", task="no such task")  # as if newer code had written it
    with IntakeLane(ada.place, command=stand_in("die")) as lane:
        lane.ring()
        eventually(lambda: ada.row(first).status == "refused", within_s=30)
        second = ada.begin(b"y", "second")
        lane.ring()
        eventually(lambda: ada.row(second).status == "refused", within_s=30)


def test_a_draining_worker_takes_up_nothing(ada):
    version_id = ada.begin(b"x")
    ada.place.draining.set()
    with IntakeLane(ada.place, command=stand_in("die")) as lane:
        lane.ring()
    assert ada.row(version_id).tries == 0


# ── whole processes ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_bell_wakes_a_worker_and_a_killed_one_is_followed_by_another(ada, start_worker, yard, eventually):
    from records.queue import ring_intake

    version_id = ada.begin(pack(folder_a_class(each=200)))
    first = start_worker(worker_name="one", lease_s=2.0)
    ring_intake(yard.bells)
    eventually(lambda: ada.row(version_id).progress.get("stage") == "reading", within_s=60)
    first.kill()
    eventually(first.leaves_nothing, within_s=30)
    start_worker(worker_name="two", lease_s=2.0)
    eventually(lambda: ada.row(version_id).status == "ready", within_s=120)
    assert ada.row(version_id).images == 400
    assert ada.row(version_id).tries == 2


def await_pid(ada, eventually):
    """The stand-in's process id, once it hangs."""

    def find():
        found = list(ada.place.settings.scratch_folder.glob("intake-*/out/pid"))
        return found and found[0].read_text()

    return int(eventually(find, within_s=30))


def uploads_left(ada):
    with ada.place.database.read() as session:
        return [row.id for row in uploads.list_uploads(session, ada.person.id, limit=9)]
