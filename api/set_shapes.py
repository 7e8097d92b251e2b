"""Rows of people's own datasets into the shapes of `api.views` and `api.set_views`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import quote, urlencode

from api.routes import PREFIX
from api.shapes import reason_shape, time_shape
from records.image_sets import FoundSet
from records.intakes import MANIFEST, REPORT
from records.set_tables import SetVersionTable, UploadTable
from records.states import VersionStatus
from records.uploads import KEPT

SHEET = "sheet.png"


def upload_shape(row: UploadTable, offset: int) -> dict[str, Any]:
    """A `views.Upload`."""
    return {
        "id": row.id,
        "name": row.name,
        "size_bytes": row.size_bytes,
        "offset": offset,
        "sha256": row.sha256,
        "created_at": time_shape(row.created_at),
        "expires_at": time_shape(row.touched_at + KEPT),
        "address": f"{PREFIX}/uploads/{row.id}",
    }


def set_shape(found: FoundSet, *, foreign: bool) -> dict[str, Any]:
    """A `views.Dataset` of somebody's own; `foreign` when the asker must say whose it is."""
    newest = found.newest
    address = set_address(found, foreign=foreign)
    return {
        "ref": found.ref,
        "name": found.row.name,
        "owner": found.owner,
        "visibility": found.row.visibility,
        "team": found.team,
        "title": found.row.name,
        "status": found.latest.status if found.latest else "empty",
        "version": newest.number if newest else None,
        "task": newest.task if newest else "classification",
        "classes": newest.classes if newest else [],
        "image_shape": None,
        "channels": newest.channels if newest else 0,
        "counts": newest.counts if newest else {},
        "sha256": newest.sha256 if newest else "",
        "licence": "",
        "source": f"uploaded by {found.owner}",
        "fetched": None,
        "sheet": with_owner(f"{address[0]}/versions/{newest.number}/sheet", address[1]) if newest else None,
        "created_at": time_shape(found.row.created_at),
    }


def version_shape(
    found: FoundSet, row: SetVersionTable, *, files: Collection[str], created_by: str, foreign: bool
) -> dict[str, Any]:
    """A `views.DatasetVersion`; `files` are the names of its stored files."""
    path, owner = set_address(found, foreign=foreign)
    path = f"{path}/versions/{row.number}"
    ready = row.status == VersionStatus.READY
    return {
        "ref": f"{found.ref}@{row.number}",
        "dataset": found.row.name,
        "owner": found.owner,
        "number": row.number,
        "status": row.status,
        "reason": reason_shape(row),
        "progress": _progress(row) if row.status == VersionStatus.CHECKING else None,
        "parent": row.parent_number,
        "task": row.task,
        "classes": row.classes,
        "counts": row.counts,
        "channels": row.channels,
        "images": row.images,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "options": row.options,
        "upload": row.upload_id,
        "folder": row.folder,
        "created_at": time_shape(row.created_at),
        "created_by": created_by,
        "decided_at": time_shape(row.decided_at),
        "address": with_owner(path, owner),
        "report": with_owner(f"{path}/report", owner) if is_shown(row, REPORT) and REPORT in files else None,
        "manifest": with_owner(f"{path}/manifest", owner) if ready and MANIFEST in files else None,
        "sheet": with_owner(f"{path}/sheet", owner) if ready and SHEET in files else None,
        "sheets": [
            with_owner(f"{path}/sheets/{number}", owner) if ready and sheet_name(number) in files else None
            for number in range(len(row.classes))
        ],
    }


def is_shown(row: SetVersionTable, name: str) -> bool:
    """Whether a stored file may be looked at: all of a ready version, the report of a refused one."""
    return row.status == VersionStatus.READY or (row.status == VersionStatus.REFUSED and name == REPORT)


def sheet_name(class_index: int) -> str:
    """The stored file with samples of a class."""
    return f"sheets/{class_index}.png"


def set_address(found: FoundSet, *, foreign: bool) -> tuple[str, str | None]:
    """The path of a set, and the owner that its query must name."""
    return f"{PREFIX}/datasets/{quote(found.row.name)}", found.owner if foreign else None


def with_owner(path: str, owner: str | None) -> str:
    """An address whose query names an owner, where one must be named."""
    return path if owner is None else f"{path}?{urlencode({'owner': owner})}"


def _progress(row: SetVersionTable) -> dict[str, Any]:
    said = row.progress
    return {"stage": said.get("stage", "waiting"), "done": said.get("done", 0), "of": said.get("of", 0)}
