"""One check of a person's dataset, from its claim to its verdict: stage, start the intake, listen, store, decide.

One thread does it all, and renews the lease between its steps, none of which takes long; while the upload is fetched
from a store elsewhere, another fetches.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from records import intakes
from records.blobs import Blob
from records.clock import utc_now
from records.database import is_outage
from records.errors import DiskFull, JobError, LeaseLost, NotFound, QuotaReached, shorten
from records.intake import IntakeFinished, IntakeLimits, IntakeOptions, IntakeOrder, IntakeRefused
from records.intakes import MANIFEST, REPORT, Contents, IntakeClaim
from records.quotas import Quota
from worker.children import Child
from worker.intake_child import INTAKE, IntakeEar, start_intake
from worker.manifests import read_contents
from worker.workplace import Workplace

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger("trainyard.intake")

_LOOK_S = 0.1
_KEPT = ("packs/*.zip", "sheets/*.png", "sheet.png", REPORT, MANIFEST)


class _Verdict(Exception):
    """Raised to leave with a verdict other than `ready`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class _Refused(_Verdict):
    """Another try would end the same way."""


class _Failed(_Verdict):
    """Another try may do better."""


class _Interrupted(Exception):
    """Raised to leave when the worker shuts down."""


def check_version(place: Workplace, claim: IntakeClaim, *, command: Sequence[str] = INTAKE) -> None:
    """Carry out a claimed check. Returns when nothing of it is left on this machine but its records."""
    log.info("intake.claimed version=%s try=%s", claim.ref, claim.tries)
    folder = place.settings.scratch_folder / f"intake-{claim.version_id}-{claim.tries}"
    try:
        folder.mkdir(parents=True)
        said = _Check(place, claim, folder, command).run()
        log.info("intake.decided version=%s verdict=%s", claim.ref, said)
    except LeaseLost as error:
        log.info("intake.lease_lost version=%s reason=%s", claim.ref, error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Check:
    def __init__(self, place: Workplace, claim: IntakeClaim, folder: Path, command: Sequence[str]) -> None:
        self._place = place
        self._claim = claim
        self._folder = folder
        self._out = folder / "out"
        self._command = command
        self._began = self._renewed_at = time.monotonic()

    def run(self) -> str:
        """The whole story; the verdict, for the log."""
        try:
            self._take_in()
            return "ready"
        except _Interrupted:
            self._write(lambda session, _: intakes.release_intake(session, self._claim))
            return "interrupted"
        except NotFound as error:  # of all that is looked up, only the version that it adds to can be gone
            return self._refuse("parent_deleted", error.text)
        except (_Refused, QuotaReached, DiskFull) as error:
            return self._refuse(error.code, error.text)
        except (_Failed, JobError) as error:
            return self._fail(error.code, error.text)
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("intake.broken version=%s", self._claim.ref)
            return self._fail("intake_failed", f"The worker itself failed; its log says more. {error!r:.300}")

    def _take_in(self) -> None:
        order = self._order()
        self._watch(order)
        contents = self._store()
        quota = Quota.of(self._place.settings)
        self._write(lambda session, at: intakes.finish_intake(session, self._claim, contents, quota=quota, at=at))

    # ── before ───────────────────────────────────────────────────────────────────────────────────────────────

    def _order(self) -> IntakeOrder:
        claim = self._claim
        self._out.mkdir()
        return IntakeOrder(
            source=self._source(),
            folder=self._out,
            parent_manifest=self._parent(),
            pack_prefix=f"p{claim.number}",
            options=IntakeOptions.model_validate(claim.options),
            limits=IntakeLimits(processes=self._place.settings.intake_processes),
        )

    def _source(self) -> Path:
        claim = self._claim
        if claim.folder is not None:
            return self._allowed_folder(Path(claim.folder))
        if claim.upload_sha256 is None or not self._place.blobs.holds(claim.upload_sha256):
            raise _Refused("upload_gone", "The bytes of the upload are gone. Send them again.")
        return self._fetched(claim.upload_sha256)

    def _fetched(self, sha256: str) -> Path:
        """The upload as a file of this machine; that can take long where blobs lie elsewhere, and keeps its lease."""
        with ThreadPoolExecutor(1) as fetching:
            file = fetching.submit(self._place.blobs.local, sha256, self._folder)
            while not wait([file], self._place.settings.flush_s).done:
                self._renew({})
            return file.result()

    def _allowed_folder(self, asked: Path) -> Path:
        """The folder, where its links lead, if that is below one that this worker may read."""
        folder = asked.resolve()
        if not any(folder.is_relative_to(allowed.resolve()) for allowed in self._place.settings.dataset_folders):
            raise _Refused("folder_not_allowed", f"{asked} leads out of the folders of TRAINYARD_DATASET_FOLDERS.")
        if not folder.is_dir():
            raise _Refused("folder_missing", f"There is no folder {asked} on the machine of {self._place.row.name}.")
        return folder

    def _parent(self) -> Path | None:
        claim = self._claim
        if claim.parent_number is None:
            return None
        if claim.parent_manifest_sha256 is None:
            raise _Refused("parent_deleted", f"Version {claim.parent_number}, which this one adds to, was deleted.")
        target = self._folder / "parent.json"
        self._place.blobs.fetch(claim.parent_manifest_sha256, target)
        return target

    # ── meanwhile ────────────────────────────────────────────────────────────────────────────────────────────

    def _watch(self, order: IntakeOrder) -> None:
        """Let the intake look at the images. Its whole process group is gone afterwards.

        Raises:
            _Refused: it refused them, or took too long.
            _Failed: it ended without a word.
            _Interrupted: the worker shuts down.
            LeaseLost: somebody else has decided.
        """
        child = start_intake(self._place.children.environment, self._command)
        ear = IntakeEar(child, order)
        try:
            self._await_end(child, ear)
        finally:
            status = child.end()
            ear.join()
        if isinstance(ear.last_word, IntakeRefused):
            raise _Refused(ear.last_word.code[:50], ear.last_word.text)
        if not isinstance(ear.last_word, IntakeFinished) or status != 0:
            log.error("intake.died version=%s status=%s log=%s", self._claim.ref, status, ear.last_lines)
            said = shorten(ear.last_lines.rpartition("\n")[2], 300)
            raise _Failed(
                "intake_failed", f"The check itself broke (status {status}), which is no fault of yours. {said}"
            )

    def _await_end(self, child: Child, ear: IntakeEar) -> None:
        settings, due = self._place.settings, 0.0
        while child.status() is None:
            now = time.monotonic()
            if now - self._began > settings.intake_limit_s:
                text = f"The check took longer than {settings.intake_limit_s:.0f} s. Send fewer or smaller images."
                raise _Refused("time_limit", text)
            if now >= due:
                self._renew(ear.progress)
                due = now + settings.flush_s
            if self._place.draining.wait(_LOOK_S):
                raise _Interrupted

    def _renew(self, progress: dict[str, Any]) -> None:
        """Extend the lease, if the database can be reached; give up once it has run out."""
        began = time.monotonic()
        try:
            with self._place.database.write() as session:
                self._extend(session, utc_now(), progress)
        except Exception as error:
            if not is_outage(error):
                raise
            self._despair(error)
        else:
            self._renewed_at = began

    def _extend(self, session: Session, at: datetime, progress: dict[str, Any]) -> None:
        lease_s = self._place.settings.lease_s
        intakes.renew(session, self._claim, lease_s=lease_s, at=at, progress=progress)

    # ── afterwards ───────────────────────────────────────────────────────────────────────────────────────────

    def _store(self) -> Contents:
        """Store and name every file; what the version holds."""
        files = list(self._made())
        digest = ""
        for number, path in enumerate(files):
            if self._place.draining.is_set():
                raise _Interrupted
            digest = self._keep(path, {"stage": "storing", "done": number, "of": len(files)}).sha256
        return read_contents(self._out / MANIFEST, digest)  # the manifest comes last

    def _made(self) -> Iterator[Path]:
        for pattern in _KEPT:
            found = sorted(path for path in self._out.glob(pattern) if path.is_file() and not path.is_symlink())
            if not found and "*" not in pattern:
                raise _Failed("intake_failed", f"The check said that it had finished, but left no {pattern}.")
            yield from found

    def _keep(self, path: Path, progress: dict[str, Any]) -> Blob:
        blob = self._place.blobs.put_file(path)

        def name(session: Session, at: datetime) -> None:
            self._extend(session, at, progress)
            intakes.name_file(session, self._claim, path.relative_to(self._out).as_posix(), blob)

        self._write(name)
        return blob

    def _refuse(self, code: str, text: str) -> str:
        report = self._out / REPORT
        if report.is_file() and not report.is_symlink():
            self._keep(report, {})
        self._write(lambda session, at: intakes.refuse_intake(session, self._claim, code, text, at=at))
        return f"refused code={code}"

    def _fail(self, code: str, text: str) -> str:
        self._write(lambda session, at: intakes.fail_intake(session, self._claim, code, text, at=at))
        return f"failed code={code}"

    def _write(self, act: Callable[[Session, datetime], None]) -> None:
        """Write, also where the database is away for as long as the lease holds."""
        while True:
            began = time.monotonic()
            try:
                with self._place.database.write() as session:
                    act(session, utc_now())
                self._renewed_at = began
                return
            except Exception as error:
                if not is_outage(error):
                    raise
                self._despair(error)
            time.sleep(_LOOK_S)

    def _despair(self, error: Exception) -> None:
        if time.monotonic() - self._renewed_at > self._place.settings.lease_s:
            raise LeaseLost("The database could not be reached until the lease had run out.") from error
        log.warning("intake.not_renewed version=%s error=%s", self._claim.ref, error)
