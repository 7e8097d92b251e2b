"""Rows of registered models into the shapes of `api.views`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from api.shapes import time_shape
from records.model_reading import AliasRow, ModelRow, VersionRow
from records.model_tables import AliasMoveTable, ModelFileTable
from records.references import Reference


def model_shape(row: ModelRow) -> dict[str, Any]:
    """A `views.RegisteredModel`."""
    return {
        "name": row.model.name,
        "owner": row.owner,
        "visibility": row.model.visibility,
        "team": row.team,
        "newest": row.newest.number if row.newest else None,
        "versions": row.versions,
        "aliases": [alias_shape(alias) for alias in row.aliases],
        "metrics": row.newest.metrics if row.newest else {},
        "created_at": time_shape(row.model.created_at),
    }


def version_shape(row: VersionRow, files: Iterable[ModelFileTable], aliases: Iterable[AliasRow]) -> dict[str, Any]:
    """A `views.ModelVersion`."""
    version = row.version
    return {
        "model": row.model.name,
        "owner": row.owner,
        "number": version.number,
        "ref": str(Reference(row.model.name, row.owner, number=version.number)),
        "job_id": version.job_id,
        "artifact": version.artifact,
        "files": [_file_shape(file) for file in files],
        "metrics": version.metrics,
        "note": version.note,
        "aliases": [alias.name for alias in aliases if alias.number == version.number],
        "created_by": version.created_by,
        "created_at": time_shape(version.created_at),
    }


def alias_shape(row: AliasRow) -> dict[str, Any]:
    """A `views.ModelAlias`."""
    return {"name": row.name, "version": row.number, "etag": alias_etag(row.move_id)}


def alias_etag(move_id: int) -> str:
    """The validator of an alias: it changes with every move and with nothing else."""
    return f'"{move_id}"'


def moves_shape(moves: Sequence[AliasMoveTable]) -> list[dict[str, Any]]:
    """A list of `views.AliasMove`."""
    return [
        {
            "alias": move.alias,
            "from_version": move.from_number,
            "to_version": move.to_number,
            "actor": move.actor,
            "at": time_shape(move.at),
        }
        for move in moves
    ]


def _file_shape(row: ModelFileTable) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "media_type": row.media_type,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
    }
