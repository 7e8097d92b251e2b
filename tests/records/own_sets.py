"""The acts of people and workers on datasets of their own, each in its own transaction."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from records import image_sets, intakes, uploads, versions
from records.access import Viewer
from records.accounts import Person, create_user
from records.blobs import Blob, FolderBlobs
from records.database import Database
from records.image_sets import FoundSet
from records.intakes import Contents, IntakeClaim
from records.quotas import Quota
from records.set_tables import SetVersionTable, UploadTable
from records.tables import WorkerTable
from records.versions import Parent, Source
from records.workers import register

LEASE_S = 5.0
OPTIONS = {"task": "classification", "skip_bad": False}
ROOMY = Quota(dataset_bytes=10**9, datasets=10, images=10**6)


def digest(text: str) -> str:
    """The address of some bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


class Sets:
    """People's datasets on one database and one clock."""

    def __init__(
        self, database: Database, clock: Any, *, anna: Person | None = None, blobs: FolderBlobs | None = None
    ) -> None:
        self.database = database
        self.clock = clock
        self.blobs = blobs
        self.anna, self.bob = anna or self._person("anna"), self._person("bob") if anna is None else anna
        self._workers = 0

    def worker(self) -> WorkerTable:
        """A worker that has just begun."""
        self._workers += 1
        with self.database.write() as session:
            name = f"intake{self._workers}"
            return register(session, name, host="h", pid=1, version="0", devices=[], at=self.clock())

    # ── people ───────────────────────────────────────────────────────────────────────────────────────────────

    def upload(self, owner: Person | None = None, *, whole: bool = True, size_bytes: int = 100) -> str:
        """An upload; its bytes are nowhere."""
        owner = owner or self.anna
        with self.database.write() as session:
            row = uploads.begin_upload(
                session, owner.id, "a.zip", size_bytes=size_bytes, sha256=None, quota=ROOMY, at=self.clock()
            )
            if whole:
                uploads.complete(session, row.id, digest(row.id), at=self.clock())
            return row.id

    def begin(
        self, name: str = "ants", owner: Person | None = None, *, quota: Quota = ROOMY, **source: Any
    ) -> SetVersionTable:
        """The first version of a set, from a new upload if nothing else is said."""
        owner = owner or self.anna
        source = source or {"upload_id": self.upload(owner)}
        with self.database.write() as session:
            return versions.begin_set(
                session, owner.id, name, source=Source(**source), options=OPTIONS, quota=quota, at=self.clock()
            )

    def add(self, name: str = "ants", *, parent: Parent | None = None, **options: Any) -> SetVersionTable:
        """Anna's next version of her set."""
        source = Source(upload_id=self.upload())
        with self.database.write() as session:
            found = image_sets.find_set(session, name, Viewer(self.anna.id))
            return versions.begin_version(
                session,
                found,
                person_id=self.anna.id,
                source=source,
                parent=parent or Parent(),
                options={**OPTIONS, **options},
                at=self.clock(),
            )

    def delete(self, name: str = "ants", number: int | None = None, viewer: Viewer | None = None) -> None:
        """Delete a version, or the whole set."""
        viewer = viewer or Viewer(self.anna.id)
        with self.database.write() as session:
            found = image_sets.find_set(session, name, viewer)
            if number is None:
                versions.delete_set(session, found, viewer=viewer, at=self.clock())
            else:
                versions.delete_version(session, found, number, viewer=viewer, at=self.clock())

    # ── workers ──────────────────────────────────────────────────────────────────────────────────────────────

    def claim(self, worker: WorkerTable | None = None, folders: tuple[Path, ...] = ()) -> IntakeClaim | None:
        """A worker takes up what has waited longest."""
        worker = worker or self.worker()
        with self.database.write() as session:
            return intakes.claim_intake(session, worker, folders=folders, lease_s=LEASE_S, at=self.clock())

    def store(self, claim: IntakeClaim, name: str, text: str) -> None:
        """Name a file of some bytes; they are stored where there are blobs."""
        blob = Blob(digest(text), len(text.encode()))
        if self.blobs is not None:
            part = self.blobs.folder / "part"
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(text)
            assert self.blobs.put_file(part) == blob
        with self.database.write() as session:
            intakes.renew(session, claim, lease_s=LEASE_S, at=self.clock())
            intakes.name_file(session, claim, name, blob)

    def finish(
        self,
        claim: IntakeClaim,
        *,
        images: int = 10,
        quota: Quota = ROOMY,
        text: str = "manifest",
        more: tuple[str, ...] = (),
    ) -> None:
        """The images are taken in."""
        for name in ("manifest.json", "report.json", f"packs/p{claim.number}-0.zip", *more):
            self.store(claim, name, f"{text} {name} {claim.number}")
        contents = Contents(digest(text), ["ant", "bee"], {"train": images}, 3, images)
        with self.database.write() as session:
            intakes.finish_intake(session, claim, contents, quota=quota, at=self.clock())

    def refuse(self, claim: IntakeClaim, code: str = "bad_files", text: str = "Two files are bad.") -> None:
        """The images cannot be taken in."""
        with self.database.write() as session:
            intakes.refuse_intake(session, claim, code, text, at=self.clock())

    def ready(self, name: str = "ants", owner: Person | None = None, **finished: Any) -> SetVersionTable:
        """A set with one version that is ready."""
        version = self.begin(name, owner)
        self.take_in(**finished)
        return self.version(version.id)

    def take_in(self, **finished: Any) -> IntakeClaim:
        """Claim what has waited longest, and make it ready."""
        claim = self.claim()
        assert claim is not None
        self.finish(claim, **finished)
        return claim

    # ── looks ────────────────────────────────────────────────────────────────────────────────────────────────

    def version(self, version_id: int) -> SetVersionTable:
        """A version's row as it stands."""
        with self.database.read() as session:
            return session.get_one(SetVersionTable, version_id)

    def find(self, name: str, viewer: Viewer, owner: str | None = None) -> FoundSet:
        """A set."""
        with self.database.read() as session:
            return image_sets.find_set(session, name, viewer, owner=owner)

    def files(self, version_id: int) -> list[str]:
        """The names of a version's files."""
        with self.database.read() as session:
            return sorted(image_sets.list_files(session, version_id))

    def upload_row(self, upload_id: str) -> UploadTable | None:
        """An upload's row."""
        with self.database.read() as session:
            return session.get(UploadTable, upload_id)

    def _person(self, name: str) -> Person:
        with self.database.write() as session:
            return Person(create_user(session, name, "member", at=self.clock()).id, name, "member")
