"""Datasets of the administrator's in every state, put into a database through `records`, for pages to show."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from records import intakes, uploads, versions
from records.access import Viewer
from records.accounts import Person
from records.blobs import FolderBlobs
from records.database import Database
from records.image_sets import find_set
from records.intakes import Contents, IntakeClaim
from records.quotas import Quota
from records.set_tables import UploadTable
from records.versions import Parent, Source
from records.workers import register
from tests.api.pages.filling import png

ROOMY = Quota(10**12, 100, 10**9)
OPTIONS = {"task": "classification", "skip_bad": False, "splits": {"train": 0.8, "val": 0.1, "test": 0.1, "seed": 0}}
LONG = "a-rather-long-name-of-a-class-so-that-one-sees-what-a-line-break-does-" + "x" * 40


def report(**changed: Any) -> dict[str, Any]:
    """A report with something of everything."""
    classes = [
        {"name": name, "train": train, "val": 20, "test": 10, "total": train + 30, "new": 5, "pixel_share": None}
        for name, train in (("ants", 170), ("bees", 90), (LONG, 12))
    ]
    place = {"split": "train", "earlier": False, "left_out": False}
    group = [{**place, "name": "ants/1.jpg"}, {**place, "name": "ants/copy of 1.jpg", "left_out": True}]
    leak = [{**place, "name": "ants/2.jpg"}, {**place, "name": "val/ants/2.jpg", "split": "val", "earlier": True}]
    return {
        "form": 1,
        "task": "classification",
        "found": {"entries": 380, "images": 372, "masks": 0, "ignored": 3, "ignored_names": [], "bytes": 10**7},
        "images": 362,
        "new_images": 362,
        "channels": 3,
        "ready_made_splits": False,
        "classes": classes,
        "sizes": {side: {"min": 90, "median": 500.0, "max": 2592} for side in ("width", "height")},
        "formats": {"JPEG": 350, "PNG": 12},
        "problem_counts": {"truncated": 1, "wrong_extension": 1},
        "problems": [
            {"name": "bees/half.jpg", "code": "truncated", "text": "The file ends too early.", "left_out": True},
            {"name": "bees/odd.png", "code": "wrong_extension", "text": "It is a JPEG.", "left_out": False},
        ],
        "more_problems": 0,
        "bad_files": 1,
        "exact_duplicates": {"count": 1, "groups": [group]},
        "dropped_duplicates": 1,
        "near_duplicates": {"count": 30, "groups": [group] * 25},
        "leakage": {"count": 1, "groups": [leak]},
        "imbalance": 4.8,
        "small_classes": [LONG],
        "conversions": {"turned": 3, "shrunk": 40},
        "warnings": ["One class has fewer than a hundred images.", "1 file cannot be taken in; see the problems."],
    } | changed


class Filler:
    """Makes datasets of one person, with a worker that is only played."""

    def __init__(self, database: Database, blobs: FolderBlobs, person: Person, folder: Path) -> None:
        self._database = database
        self._blobs = blobs
        self._person = person
        self._folder = folder

    def ready(self, name: str, at: datetime) -> None:
        """A dataset with a version that is ready."""
        self.begin(name, at)
        self.finish(self.claim(at), at)

    def add_refused(self, name: str, at: datetime) -> None:
        """A version that was refused, on top of what is there."""
        with self._database.write() as session:
            found = find_set(session, name, Viewer(self._person.id))
            versions.begin_version(
                session, found, person_id=self._person.id, source=Source(self._upload(session, at)), parent=Parent(),
                options=OPTIONS, at=at,
            )  # fmt: skip
        claim = self.claim(at)
        self._store(claim, "report.json", json.dumps(report(classes=[], small_classes=[])).encode(), at)
        with self._database.write() as session:
            intakes.refuse_intake(session, claim, "bad_files", "1 file is bad. Accept the rest (`skip_bad`).", at=at)

    def begin(self, name: str, at: datetime) -> None:
        """A dataset whose first version waits."""
        with self._database.write() as session:
            source = Source(self._upload(session, at))
            versions.begin_set(session, self._person.id, name, source=source, options=OPTIONS, quota=ROOMY, at=at)

    def claim(self, at: datetime) -> IntakeClaim:
        """A worker takes up what waits."""
        with self._database.write() as session:
            worker = register(session, "checker", host="h", pid=1, version="0", devices=[], at=at)
            claim = intakes.claim_intake(session, worker, folders=(), lease_s=10**8, at=at)
        assert claim is not None
        return claim

    def progress(self, claim: IntakeClaim, at: datetime) -> None:
        """It is half-way."""
        with self._database.write() as session:
            intakes.renew(session, claim, lease_s=10**8, at=at, progress={"stage": "reading", "done": 181, "of": 362})

    def finish(self, claim: IntakeClaim, at: datetime) -> None:
        """All is taken in."""
        files = {"manifest.json": b"{}", "report.json": json.dumps(report()).encode(), "sheet.png": png(600, 200)}
        files |= {f"sheets/{number}.png": png(500, 300) for number in (0, 2)}
        for name, content in files.items():
            self._store(claim, name, content, at)
        contents = Contents("ab" * 32, ["ants", "bees", LONG], {"train": 272, "val": 60, "test": 30}, 3, 362)
        with self._database.write() as session:
            intakes.finish_intake(session, claim, contents, quota=ROOMY, at=at)

    def _upload(self, session: Any, at: datetime) -> str:
        row: UploadTable = uploads.begin_upload(
            session, self._person.id, "a.zip", size_bytes=9, sha256=None, quota=ROOMY, at=at
        )
        uploads.complete(session, row.id, "cd" * 32, at=at)
        return row.id

    def _store(self, claim: IntakeClaim, name: str, content: bytes, at: datetime) -> None:
        (self._folder / "stored").write_bytes(content)
        blob = self._blobs.put_file(self._folder / "stored")
        with self._database.write() as session:
            intakes.renew(session, claim, lease_s=10**8, at=at)
            intakes.name_file(session, claim, name, blob)


def fill_sets(database: Database, blobs: FolderBlobs, person: Person, folder: Path, at: datetime) -> None:
    """`ants-bees`: version 1 ready, 2 refused. `fresh`: being checked. `bad`: refused. `gone`: without a version."""
    filler = Filler(database, blobs, person, folder)
    filler.ready("ants-bees", at)
    filler.add_refused("ants-bees", at)
    filler.begin("bad", at)
    claim = filler.claim(at)
    with database.write() as session:
        intakes.refuse_intake(session, claim, "no_archive", "This is no archive that we know.", at=at)
    filler.ready("gone", at)
    with database.write() as session:
        found = find_set(session, "gone", Viewer(person.id))
        versions.delete_version(session, found, 1, viewer=Viewer(person.id), at=at)
    filler.begin("fresh", at)
    filler.progress(filler.claim(at), at)
