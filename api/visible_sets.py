"""Which datasets of people the present person may see and change: asked here, decided in `records.access`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.auth import require_person
from api.set_shapes import version_shape
from api.visible import viewer
from records.access import check_change
from records.image_sets import FoundSet, find_set, find_version, list_files, names_of_people
from records.set_tables import ImageSetTable, SetVersionTable
from records.tables import UserTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


def visible_set(session: Session, name: str, owner: str | None = None) -> FoundSet:
    """A set that the present person may see.

    Raises:
        NotFound: there is none.
    """
    return find_set(session, name, viewer(), owner=owner)


def changeable_set(session: Session, name: str, owner: str | None = None) -> FoundSet:
    """A set that the present person may change.

    Raises:
        NotFound: there is none that they may see.
        Forbidden: they may only look at it.
    """
    found = visible_set(session, name, owner)
    check_change(viewer(), found.row.owner_id, f"the dataset {found.ref}")
    return found


def visible_version(session: Session, name: str, number: int, owner: str | None) -> tuple[FoundSet, SetVersionTable]:
    """A version of a set that the present person may see.

    Raises:
        NotFound: there is none.
    """
    found = visible_set(session, name, owner)
    return found, find_version(session, found, number)


def is_foreign(found: FoundSet) -> bool:
    """Whether the set is somebody else's, so that its address must say whose."""
    return found.row.owner_id != require_person().id


def shown_versions(session: Session, found: FoundSet, rows: Sequence[SetVersionTable]) -> list[dict[str, Any]]:
    """The JSON of versions of one set."""
    people = names_of_people(session, sorted({row.created_by_id for row in rows}))
    foreign = is_foreign(found)
    return [
        version_shape(
            found, row, files=list_files(session, row.id), created_by=people[row.created_by_id], foreign=foreign
        )
        for row in rows
    ]


def shown_version(session: Session, version_id: int) -> dict[str, Any]:
    """The JSON of a version that was just made."""
    row = session.get_one(SetVersionTable, version_id)
    found_set = session.get_one(ImageSetTable, row.set_id)
    owner = session.get_one(UserTable, found_set.owner_id).name
    return shown_versions(session, FoundSet(found_set, owner, None, row), [row])[0]
