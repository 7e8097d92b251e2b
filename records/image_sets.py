"""People's own datasets: finding one by its reference, lists. Nothing here writes.

Every look-up goes through `_sets`, which leaves out what the viewer may not see (`records.access`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from records.access import EVERYTHING, Viewer, seen_by
from records.catalogue import CATALOGUE
from records.errors import NotFound, near_matches, shorten
from records.set_tables import ImageSetTable, SetVersionTable, VersionFileTable
from records.states import VersionStatus
from records.tables import TeamTable, UserTable

NAME_FORM = r"[a-z0-9][a-z0-9_-]{0,62}"
PACKS = "packs/"
"""Begins the names of stored packs."""
_NAME = re.compile(NAME_FORM)
_REFERENCE = re.compile(rf"(?:(?P<owner>.+)/)?(?P<name>{NAME_FORM})(?:@(?P<number>[1-9][0-9]{{0,8}}))?")


@dataclass(frozen=True)
class Reference:
    """A dataset as it is named in a spec: `ants-bees`, `ants-bees@1`, `anna/ants-bees@2`."""

    name: str
    owner: str | None = None
    number: int | None = None


class FoundSet(NamedTuple):
    """A set with its owner's name."""

    row: ImageSetTable
    owner: str
    newest: SetVersionTable | None
    """The newest version that is ready."""
    latest: SetVersionTable | None
    """The newest version, however it stands."""
    team: str | None = None
    """The team that sees it."""

    @property
    def ref(self) -> str:
        """`anna/ants-bees`."""
        return f"{self.owner}/{self.row.name}"


@dataclass(frozen=True)
class StoredVersion:
    """A ready version as it is stored: the addresses of its blobs."""

    ref: str
    """`anna/ants-bees@2`."""
    sha256: str
    """Of its manifest: the content hash."""
    packs: Mapping[str, str]
    """By name in the manifest."""


def parse_reference(text: str) -> Reference:
    """The parts of a reference.

    Raises:
        NotFound: nothing can be called so.
    """
    found = _REFERENCE.fullmatch(text) if text.isprintable() else None  # no NUL, no half of a surrogate pair
    if found is None:
        raise NotFound(
            f"No dataset is called {shorten(repr(text))}. Expected NAME, NAME@VERSION or OWNER/NAME@VERSION."
        )
    number = found["number"]
    return Reference(found["name"], found["owner"], int(number) if number else None)


def find_set(session: Session, name: str, viewer: Viewer, *, owner: str | None = None) -> FoundSet:
    """A set by its name, and its owner's; without an owner, one's own.

    Raises:
        NotFound: there is none that the viewer may see; the text names near ones.
    """
    query = _sets(viewer).where(ImageSetTable.name == name)
    if owner is not None:
        query = query.where(UserTable.name == owner)
    elif viewer.person_id is not None:
        query = query.where(ImageSetTable.owner_id == viewer.person_id)
    found = session.execute(query.limit(2)).all() if _NAME.fullmatch(name) else []
    if len(found) != 1:
        raise _no_set(session, name, viewer, owner, [FoundSet(*row) for row in found])
    return FoundSet(*found[0])


def list_sets(
    session: Session, viewer: Viewer, *, mine: bool = False, past: tuple[str, int] | None = None, limit: int = 200
) -> list[FoundSet]:
    """Sets that the viewer may see, by name and id, those behind `past` = (name, id)."""
    query = _sets(viewer).order_by(ImageSetTable.name, ImageSetTable.id).limit(limit)
    if mine:
        query = query.where(ImageSetTable.owner_id == viewer.person_id)
    if past is not None:
        query = query.where(tuple_(ImageSetTable.name, ImageSetTable.id) > tuple_(*past))
    return [FoundSet(*row) for row in session.execute(query)]


def find_version(session: Session, found: FoundSet, number: int | None) -> SetVersionTable:
    """A version by its number; without one, the newest that is ready.

    Raises:
        NotFound: there is none.
    """
    if number is None:
        if found.newest is None:
            raise NotFound(f"No version of {found.ref} is ready yet. `trainyard datasets show` tells how it stands.")
        return found.newest
    query = select(SetVersionTable).where(SetVersionTable.set_id == found.row.id, SetVersionTable.number == number)
    version = session.scalar(query)
    if version is None:
        raise NotFound(f"{found.ref} has no version {number}.")
    return version


def list_versions(
    session: Session, set_id: int, *, below: int | None = None, limit: int = 200
) -> Sequence[SetVersionTable]:
    """The versions of a set, the newest first, those with numbers below this."""
    query = select(SetVersionTable).where(SetVersionTable.set_id == set_id)
    if below is not None:
        query = query.where(SetVersionTable.number < below)
    return session.scalars(query.order_by(SetVersionTable.number.desc()).limit(limit)).all()


def list_files(session: Session, version_id: int) -> dict[str, VersionFileTable]:
    """The stored files of a version, by name."""
    query = select(VersionFileTable).where(VersionFileTable.version_id == version_id)
    return {row.name: row for row in session.scalars(query.order_by(VersionFileTable.name))}


def find_file(session: Session, version_id: int, name: str) -> VersionFileTable | None:
    """A stored file of a version; None where there is none of that name."""
    return session.get(VersionFileTable, (version_id, name))


def find_stored(session: Session, ref: str) -> StoredVersion:
    """A ready version by its pinned reference, for whoever it is meant.

    Raises:
        NotFound: there is none.
    """
    named = parse_reference(ref)
    found = find_set(session, named.name, EVERYTHING, owner=named.owner)
    version = find_version(session, found, named.number)
    if version.status != VersionStatus.READY or version.sha256 is None:
        raise NotFound(f"{ref} is {version.status}.")
    files = list_files(session, version.id)
    packs = {name.removeprefix(PACKS): row.sha256 for name, row in files.items() if name.startswith(PACKS)}
    return StoredVersion(ref, version.sha256, packs)


def names_of_people(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Who made what."""
    return {
        row.id: row.name for row in session.execute(select(UserTable.id, UserTable.name).where(UserTable.id.in_(ids)))
    }


def _sets(viewer: Viewer) -> Select[ImageSetTable, str, SetVersionTable, SetVersionTable, str]:
    """The rows of `FoundSet`."""
    newest, latest = aliased(SetVersionTable), aliased(SetVersionTable)
    return (
        select(ImageSetTable, UserTable.name, newest, latest, TeamTable.name)
        .join(UserTable, UserTable.id == ImageSetTable.owner_id)
        .outerjoin(TeamTable, TeamTable.id == ImageSetTable.team_id)
        .outerjoin(newest, newest.id == _last(SetVersionTable.status == VersionStatus.READY))
        .outerjoin(latest, latest.id == _last())
        .where(seen_by(viewer, ImageSetTable))
    )


def _last(*where: ColumnElement[bool]) -> ScalarSelect[int]:
    """The id of a set's last version; a later version has a higher id."""
    query = select(func.max(SetVersionTable.id)).where(SetVersionTable.set_id == ImageSetTable.id, *where)
    return query.correlate(ImageSetTable).scalar_subquery()


def _no_set(session: Session, name: str, viewer: Viewer, owner: str | None, several: list[FoundSet]) -> NotFound:
    called = shorten(repr(name if owner is None else f"{owner}/{name}"))
    if several:
        return NotFound(
            f"More than one person has a dataset called {called}. Say whose: {several[0].ref}, for example."
        )
    known = [found.row.name for found in list_sets(session, viewer, mine=viewer.person_id is not None)]
    return NotFound(f"No dataset is called {called}. {near_matches(name, [*CATALOGUE, *known])}")
