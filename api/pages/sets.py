"""What the pages of datasets show: the catalogue, people's own, and one of them with its report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from api.set_shapes import set_address, set_shape, with_owner
from api.visible import viewer
from api.visible_sets import is_foreign, shown_versions, visible_set
from records.blobs import Blobs
from records.catalogue import CATALOGUE
from records.database import Database
from records.datasets import fetched_datasets
from records.errors import BlobUnavailable
from records.image_sets import FoundSet, find_file, find_version, list_sets, list_versions
from records.intakes import REPORT
from records.set_tables import SetVersionTable

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Report = Mapping[str, Any]

_MOST_SETS = 200
_MOST_VERSIONS = 50
_MOST_PROBLEMS = 100
_MOST_GROUPS = 20
_MOST_IN_GROUP = 6
_SPLITS = ("train", "val", "test")
_CONVERSIONS = {
    "turned": "turned upright",
    "flattened": "put on white instead of transparency",
    "from_cmyk": "brought from CMYK to RGB",
    "from_16_bit": "brought from 16 bits to 8",
    "from_palette": "brought from a palette to RGB",
    "first_frame": "cut to their first frame or page",
    "to_srgb": "brought to sRGB",
    "shrunk": "shrunk",
    "grey_to_rgb": "brought from grey to RGB",
}


def datasets_page(database: Database) -> dict[str, Any]:
    """One's own datasets, and the catalogue with what this yard has fetched of it."""
    with database.read() as session:
        fetched = fetched_datasets(session)
        own = list_sets(session, viewer(), limit=_MOST_SETS)
    return {
        "own": [set_shape(found, foreign=is_foreign(found)) for found in own],
        "datasets": [(dataset, fetched.get(name)) for name, dataset in CATALOGUE.items()],
    }


def set_page(database: Database, blobs: Blobs, name: str, *, owner: str | None, number: int | None) -> dict[str, Any]:
    """One dataset: a version of it with its report, and the list of all.

    Raises:
        NotFound: there is none that the present person may see.
    """
    with database.read() as session:
        found = visible_set(session, name, owner)
        rows = list_versions(session, found.row.id, limit=_MOST_VERSIONS)
        chosen = _chosen(session, found, number)
        shown = shown_versions(session, found, [chosen])[0] if chosen else None
        report = _report(session, blobs, chosen) if chosen else None
        versions = shown_versions(session, found, rows)
    foreign = is_foreign(found)
    return {
        "found": set_shape(found, foreign=foreign),
        "foreign": foreign,
        "address": with_owner(*set_address(found, foreign=foreign)),
        "owner_id": found.row.owner_id,
        "showing_url": with_owner(f"{set_address(found, foreign=foreign)[0]}/visibility", found.owner),
        "owner": found.owner if foreign else None,
        "version": shown,
        "versions": versions,
        "report": report,
        "told": told(report) if report else None,
        "sheets": list(zip(shown["classes"], shown["sheets"], strict=True)) if shown else [],
    }


def own_names(database: Database) -> list[str]:
    """References of people's datasets that the present person can use in jobs, their own first."""
    with database.read() as session:
        found = [one for one in list_sets(session, viewer(), limit=_MOST_SETS) if one.newest is not None]
    mine = [one.row.name for one in found if not is_foreign(one)]
    return mine + [one.ref for one in found if is_foreign(one)]


def told(report: Report) -> dict[str, Any]:
    """A report as the page tells it: lists cut to what one reads, bars as shares."""
    problems = report["problems"]
    return {
        "found": _found(report),
        "bars": _bars(report["classes"], set(report["small_classes"])),
        "splits": [split for split in _SPLITS if any(one[split] for one in report["classes"])],
        "problems": problems[:_MOST_PROBLEMS],
        "more_problems": sum(report["problem_counts"].values()) - min(len(problems), _MOST_PROBLEMS),
        "groups": [
            (title, _cut(report[name]))
            for title, name in (
                ("Leakage between splits", "leakage"),
                ("Exact duplicates", "exact_duplicates"),
                ("Near duplicates", "near_duplicates"),
            )
            if report[name]["count"]
        ],
    }


def _chosen(session: Session, found: FoundSet, number: int | None) -> SetVersionTable | None:
    """The version of that number; else the newest ready one, or the newest."""
    if number is not None:
        return find_version(session, found, number)
    return found.newest or found.latest


def _report(session: Session, blobs: Blobs, version: SetVersionTable) -> Report | None:
    row = find_file(session, version.id, REPORT) if version.decided_at is not None else None
    if row is None:
        return None
    try:
        with blobs.open(row.sha256) as file:
            read: Report = json.load(file)
        return read
    except (BlobUnavailable, ValueError):
        return None


def _found(report: Report) -> list[tuple[str, str]]:
    found, sizes = report["found"], report["sizes"]
    rows = [
        ("Found", f"{found['images']:,} images in {found['entries']:,} entries"),
        ("Masks", f"{found['masks']:,}" if found["masks"] else ""),
        ("Taken", f"{report['new_images']:,} new, {report['images']:,} in the version"),
        ("Formats", ", ".join(f"{count:,} {name}" for name, count in report["formats"].items())),
    ]
    if sizes:
        rows += [(side.capitalize(), _range(sizes[side])) for side in ("width", "height")]
    changed = [f"{count:,} {_CONVERSIONS.get(name, name)}" for name, count in report["conversions"].items() if count]
    dropped = report["dropped_duplicates"]
    rows += [
        ("Splits", "as the folders name them" if report["ready_made_splits"] else "dealt by class"),
        ("Changed", ", ".join(changed)),
        ("Left out", f"{dropped:,} exact duplicates" if dropped else ""),
        ("Ignored", f"{found['ignored']:,} other files" if found["ignored"] else ""),
    ]
    return [(name, said) for name, said in rows if said]


def _range(one: Mapping[str, Any]) -> str:
    return f"{one['min']:,} to {one['max']:,} px, median {one['median']:,.0f}"


def _bars(classes: Sequence[Mapping[str, Any]], small: set[str]) -> list[dict[str, Any]]:
    """A row a class: its counts, and the parts of its bar as (split, where it begins, width), of 100."""
    most = max((one["total"] for one in classes), default=0) or 1
    return [{**one, "parts": _parts(one, most), "is_small": one["name"] in small} for one in classes]


def _parts(one: Mapping[str, Any], most: int) -> list[tuple[str, float, float]]:
    parts, at = [], 0.0
    for split in _SPLITS:
        width = 100 * one[split] / most
        if width:
            parts.append((split, round(at, 2), round(width, 2)))
        at += width
    return parts


def _cut(groups: Mapping[str, Any]) -> dict[str, Any]:
    shown = [
        {"places": group[:_MOST_IN_GROUP], "more": max(0, len(group) - _MOST_IN_GROUP)}
        for group in groups["groups"][:_MOST_GROUPS]
    ]
    return {"count": groups["count"], "shown": shown, "more": groups["count"] - len(shown)}
